//! Attempts to sign in, which the control database and the tenants' databases count alike.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::upsert::excluded;
use tenantry_domain::people::{Pace, Tally};
use tenantry_ports::{AttemptRepository, StoreResult};

use crate::convert::{micros, number, sha256, time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::sign_in_attempts;
use crate::transaction::Transaction;

/// Most of what was forgotten that one new row clears away: more than is added, and too little to be felt.
const CLEARED: i64 = 64;

impl AttemptRepository for Transaction<'_> {
    fn take(
        &mut self,
        key: &[u8; 32],
        pace: &Pace,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<DateTime<Utc>>> {
        self.write(|db| {
            let tally = lock(db, key, now)?;
            match pace.waits(tally, now) {
                Some(opens_at) => Ok(Some(opens_at)),
                None => keep(db, key, pace, tally, now).map(|()| None),
            }
        })
    }

    fn count(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let tally = lock(db, key, now)?;
            keep(db, key, pace, tally, now)
        })
    }

    fn find(&mut self, keys: &[[u8; 32]]) -> StoreResult<Vec<([u8; 32], Tally)>> {
        self.read(|db| {
            let keys = keys.iter().map(|key| &key[..]);
            let query = sign_in_attempts::table.filter(sign_in_attempts::key.eq_any(keys)).select((
                sign_in_attempts::key,
                sign_in_attempts::failures,
                sign_in_attempts::last_at,
            ));
            let rows: Vec<(Vec<u8>, i64, i64)> = query.load(db)?;
            let found = rows
                .into_iter()
                .map(|(key, failures, last)| Ok((sha256("attempt", &key)?, tally(failures, last)?)));
            Ok(found.collect::<StoreResult<_>>()?)
        })
    }

    fn forget(&mut self, key: &[u8; 32]) -> StoreResult<()> {
        self.write(|db| {
            diesel::delete(sign_in_attempts::table.find(&key[..])).execute(db)?;
            Ok(())
        })
    }

    fn any_over(&mut self, now: DateTime<Utc>) -> StoreResult<bool> {
        self.read(|db| {
            let over = sign_in_attempts::table.filter(sign_in_attempts::expires_at.le(micros(now)));
            Ok(diesel::select(exists(over)).get_result(db)?)
        })
    }

    fn remove_over(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.write(|db| Ok(clear(db, micros(now), limit)?))
    }
}

fn tally(failures: i64, last: i64) -> StoreResult<Tally> {
    Ok(Tally { failures: number("attempt", failures)?, last: time("attempt", last)? })
}

/// What was counted, in one statement also where nothing was. On PostgreSQL whoever comes second waits here for the end of
/// the first; on SQLite this transaction is the only one that writes.
fn lock(db: &mut Db, key: &[u8; 32], now: DateTime<Utc>) -> Answer<Tally> {
    let row = (
        sign_in_attempts::key.eq(&key[..]),
        sign_in_attempts::failures.eq(0),
        sign_in_attempts::last_at.eq(0),
        sign_in_attempts::expires_at.eq(micros(now)),
    );
    let upsert = diesel::insert_into(sign_in_attempts::table)
        .values(row)
        .on_conflict(sign_in_attempts::key)
        .do_update()
        .set(sign_in_attempts::key.eq(excluded(sign_in_attempts::key)))
        .returning((sign_in_attempts::failures, sign_in_attempts::last_at));
    let (failures, last): (i64, i64) = match db {
        Db::Sqlite(sqlite) => upsert.get_result(sqlite)?,
        Db::Postgres(postgres) => upsert.get_result(postgres)?,
    };
    Ok(tally(failures, last)?)
}

/// Counts one more.
fn keep(db: &mut Db, key: &[u8; 32], pace: &Pace, tally: Tally, now: DateTime<Utc>) -> Answer<()> {
    let is_new = tally == Tally::default();
    let tally = pace.counted(tally, now);
    let counted = (
        sign_in_attempts::failures.eq(i64::from(tally.failures)),
        sign_in_attempts::last_at.eq(micros(tally.last)),
        sign_in_attempts::expires_at.eq(micros(tally.last + pace.memory)),
    );
    diesel::update(sign_in_attempts::table.find(&key[..])).set(counted).execute(db)?;
    if is_new {
        clear(db, micros(now), CLEARED)?;
    }
    Ok(())
}

/// Clears away some of what was forgotten, but for what others hold on PostgreSQL: nobody waits for that.
fn clear(db: &mut Db, now: i64, limit: i64) -> QueryResult<usize> {
    let expired = sign_in_attempts::table
        .filter(sign_in_attempts::expires_at.le(now))
        .order(sign_in_attempts::expires_at)
        .limit(limit)
        .select(sign_in_attempts::key);
    let expired: Vec<Vec<u8>> = match db {
        Db::Sqlite(sqlite) => expired.load(sqlite)?,
        Db::Postgres(postgres) => expired.for_update().skip_locked().load(postgres)?,
    };
    if expired.is_empty() {
        return Ok(0);
    }
    diesel::delete(sign_in_attempts::table.filter(sign_in_attempts::key.eq_any(expired))).execute(db)
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;
    use crate::testing;

    /// A table that grew while many tried shrinks as a few do, a little at a time.
    #[test]
    fn what_was_forgotten_is_cleared_away_as_new_ones_come() {
        for place in testing::both() {
            let store = place.store();
            let count = || {
                let mut connection = place.tenant_database().connection().unwrap();
                sign_in_attempts::table.count().get_result::<i64>(&mut connection.db).unwrap()
            };
            let attempt = |number: u8, at| {
                let taken =
                    store.write(|tx| tx.attempts().take(&[number; 32], &Pace::ACCOUNT, sample::at(at)));
                assert_eq!(taken.unwrap(), None);
            };
            for number in 0..100 {
                attempt(number, 0);
            }
            assert_eq!(count(), 100);
            let forgotten = Pace::ACCOUNT.memory.num_seconds() + 1;
            attempt(100, forgotten);
            assert_eq!(count(), 101 - CLEARED);
            attempt(100, forgotten);
            assert_eq!(count(), 101 - CLEARED, "only what is new clears");
            attempt(101, forgotten);
            assert_eq!(count(), 2, "what is still remembered is kept");
        }
    }
}
