use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{Device, EndReason, Ended, Session};
use tenantry_ports::{Bearer, SessionRepository, StoreError, StoreResult};

use crate::convert::{limit, micros, named, number, optional, optional_time, parse, sha256, time};
use crate::schema::{sessions, users};
use crate::transaction::Transaction;

/// A row of `sessions`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SessionRow {
    id: String,
    user_id: String,
    token_hash: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    generation: i64,
    refreshed_at: Option<i64>,
    ends_at: Option<i64>,
    user_agent: Option<String>,
    address: Option<String>,
    ended_at: Option<i64>,
    ended_reason: Option<String>,
}

impl SessionRow {
    fn new(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            user_id: session.user.to_string(),
            token_hash: session.token_hash.to_vec(),
            created_at: micros(session.created_at),
            expires_at: micros(session.expires_at),
            generation: session.generation.into(),
            refreshed_at: Some(micros(session.refreshed_at)),
            ends_at: Some(micros(session.ends_at)),
            user_agent: session.device.user_agent.clone(),
            address: session.device.address.map(|address| address.to_string()),
            ended_at: session.ended.map(|ended| micros(ended.at)),
            ended_reason: session.ended.map(|ended| ended.reason.as_str().to_owned()),
        }
    }

    fn session(self) -> StoreResult<Session> {
        let ended = match (optional_time("session", self.ended_at)?, self.ended_reason) {
            (None, None) => None,
            (Some(at), Some(reason)) => {
                Some(Ended { at, reason: named("session", &reason, EndReason::parse)? })
            }
            _ => return Err(StoreError::corrupt("session", "an end without a time or a reason")),
        };
        Ok(Session {
            id: parse("session", &self.id)?,
            user: parse("session", &self.user_id)?,
            token_hash: sha256("session", &self.token_hash)?,
            generation: number("session", self.generation)?,
            created_at: time("session", self.created_at)?,
            refreshed_at: time("session", self.refreshed_at.unwrap_or(self.created_at))?,
            expires_at: time("session", self.expires_at)?,
            ends_at: time("session", self.ends_at.unwrap_or(self.expires_at))?,
            device: Device {
                user_agent: self.user_agent,
                address: optional("session", self.address.as_deref())?,
            },
            ended,
        })
    }
}

impl SessionRepository for Transaction<'_> {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(sessions::table).values(SessionRow::new(session)).execute(db)?;
            Ok(())
        })
    }

    fn get(&mut self, id: SessionId) -> StoreResult<Option<Session>> {
        self.read(|db| {
            let query = sessions::table.find(id.to_string()).select(SessionRow::as_select());
            Ok(query.get_result(db).optional()?.map(SessionRow::session).transpose()?)
        })
    }

    fn update(&mut self, session: &Session) -> StoreResult<()> {
        self.write(|db| {
            let row = SessionRow::new(session);
            match diesel::update(sessions::table.find(row.id.clone())).set(row).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn bearer(&mut self, id: SessionId) -> StoreResult<Option<Bearer>> {
        self.read(|db| {
            let query = sessions::table
                .inner_join(users::table.on(users::id.eq(sessions::user_id)))
                .filter(sessions::id.eq(id.to_string()))
                .filter(sessions::ended_at.is_null())
                .filter(users::active.eq(true))
                .select((users::id, users::role));
            let found: Option<(String, String)> = query.get_result(db).optional()?;
            let bearer = |(user, role): (String, String)| {
                Ok::<_, StoreError>(Bearer { user: parse("user", &user)?, role: parse("user", &role)? })
            };
            Ok(found.map(bearer).transpose()?)
        })
    }

    fn live(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
        after: Option<SessionId>,
        most: usize,
    ) -> StoreResult<Vec<Session>> {
        self.read(|db| {
            // What a version before this one wrote has no end of its own.
            let mut query = sessions::table
                .filter(sessions::user_id.eq(user.to_string()))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::expires_at.gt(micros(now)))
                .select(SessionRow::as_select())
                .order(sessions::id.desc())
                .limit(limit(most))
                .into_boxed();
            if let Some(after) = after {
                query = query.filter(sessions::id.lt(after.to_string()));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(SessionRow::session).collect::<StoreResult<_>>()?)
        })
    }

    fn end_all(&mut self, user: UserId, except: Option<SessionId>, ended: Ended) -> StoreResult<usize> {
        self.write(|db| {
            // No id is empty.
            let except = except.map(|id| id.to_string()).unwrap_or_default();
            let live = sessions::table
                .filter(sessions::user_id.eq(user.to_string()))
                .filter(sessions::id.ne(except))
                .filter(sessions::ended_at.is_null());
            let end = (
                sessions::ended_at.eq(Some(micros(ended.at))),
                sessions::ended_reason.eq(Some(ended.reason.as_str())),
            );
            Ok(diesel::update(live).set(end).execute(db)?)
        })
    }

    fn remove_over(&mut self, user: UserId, before: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let before = micros(before);
            let over = sessions::table
                .filter(sessions::user_id.eq(user.to_string()))
                .filter(sessions::expires_at.le(before).or(sessions::ended_at.le(before)));
            diesel::delete(over).execute(db)?;
            Ok(())
        })
    }

    fn sweep(&mut self, before: DateTime<Utc>, most: usize) -> StoreResult<usize> {
        self.write(|db| {
            let before = micros(before);
            let over = sessions::table
                .filter(sessions::expires_at.le(before).or(sessions::ended_at.le(before)))
                .select(sessions::id)
                .limit(limit(most));
            let ids: Vec<String> = over.load(db)?;
            if ids.is_empty() {
                return Ok(0);
            }
            Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(ids))).execute(db)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use tenantry_testkit::sample;

    use super::*;
    use crate::testing;

    /// Replicas are replaced one by one: the version before does not know of the newer columns.
    #[test]
    fn a_session_of_the_version_before_is_read_as_one_that_was_never_refreshed() {
        for place in testing::both_with(|settings| settings.logins = None) {
            let (store, user) = (place.store(), sample::user("somebody"));
            store.write(|tx| tx.users().insert(&user, "$argon2id$hash")).unwrap();
            let expected = Session { device: Device::default(), ..sample::session(&user) };
            let expected = Session { ends_at: expected.expires_at, ..expected };
            let hash = tenantry_ports::hexadecimal(&expected.token_hash);
            let blob = match &place.tenant_database().connection().unwrap().db {
                crate::db::Db::Sqlite(_) => format!("x'{hash}'"),
                crate::db::Db::Postgres(_) => format!("decode('{hash}', 'hex')"),
            };
            let run =
                |sql: &str| place.tenant_database().connection().unwrap().db.batch_execute(sql).unwrap();
            run(&format!(
                "INSERT INTO sessions (id, user_id, token_hash, created_at, expires_at) \
                 VALUES ('{}', '{}', {blob}, {}, {})",
                expected.id,
                user.id,
                micros(expected.created_at),
                micros(expected.expires_at)
            ));
            let read = || store.read(|tx| tx.sessions().get(expected.id));
            assert_eq!(read().unwrap(), Some(expected.clone()));
            for damage in ["ended_at = 1", "ended_at = 1, ended_reason = 'bored'", "generation = -1"] {
                run(&format!("UPDATE sessions SET {damage}"));
                assert!(matches!(read(), Err(StoreError::Corrupt { what: "session", .. })), "{damage}");
                run("UPDATE sessions SET ended_at = NULL, ended_reason = NULL, generation = 1");
            }
        }
    }
}
