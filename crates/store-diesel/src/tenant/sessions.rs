use diesel::prelude::*;
use tenantry_ports::{Session, SessionRepository, StoreResult};

use crate::convert::{micros, parse, sha256, time};
use crate::schema::sessions;
use crate::transaction::Transaction;

/// A row of `sessions`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: String,
    user_id: String,
    token_hash: Vec<u8>,
    created_at: i64,
    expires_at: i64,
}

impl SessionRow {
    fn session(self) -> StoreResult<Session> {
        Ok(Session {
            id: parse("session", &self.id)?,
            user: parse("session", &self.user_id)?,
            token_hash: sha256("session", &self.token_hash)?,
            created_at: time("session", self.created_at)?,
            expires_at: time("session", self.expires_at)?,
        })
    }
}

impl SessionRepository for Transaction<'_> {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        self.write(|db| {
            let row = SessionRow {
                id: session.id.to_string(),
                user_id: session.user.to_string(),
                token_hash: session.token_hash.to_vec(),
                created_at: micros(session.created_at),
                expires_at: micros(session.expires_at),
            };
            diesel::insert_into(sessions::table).values(row).execute(db)?;
            Ok(())
        })
    }

    fn find(&mut self, token_hash: &[u8; 32]) -> StoreResult<Option<Session>> {
        self.read(|db| {
            let query = sessions::table.filter(sessions::token_hash.eq(&token_hash[..]));
            let found = query.select(SessionRow::as_select()).get_result(db).optional()?;
            Ok(found.map(SessionRow::session).transpose()?)
        })
    }
}
