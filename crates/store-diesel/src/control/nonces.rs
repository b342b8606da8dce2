use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::upsert::excluded;
use tenantry_ports::{NonceRepository, NonceUse, StoreResult};

use crate::convert::micros;
use crate::db::Db;
use crate::schema::nonces;
use crate::transaction::Transaction;

/// Most of what expired that one call clears away: more than the one row it adds, so that the table shrinks to what is in
/// use, and too little to be felt.
const CLEARED: i64 = 64;

impl NonceRepository for Transaction<'_> {
    fn remember(
        &mut self,
        hash: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> StoreResult<NonceUse> {
        let now = micros(now);
        let row = (nonces::hash.eq(&hash[..]), nonces::expires_at.eq(micros(expires_at)));
        self.write(|db| {
            let upsert = diesel::insert_into(nonces::table)
                .values(row)
                .on_conflict(nonces::hash)
                .do_update()
                .set(nonces::expires_at.eq(excluded(nonces::expires_at)));
            // Only one that expired gives way. Of two who come at once the second waits for the end of the first, and
            // sees its row.
            let upsert = methods::FilterDsl::filter(upsert, nonces::expires_at.le(now));
            let written = match db {
                Db::Sqlite(sqlite) => upsert.execute(sqlite)?,
                Db::Postgres(postgres) => upsert.execute(postgres)?,
            };
            // Afterwards, and without waiting: so nobody ever waits for a row while another one waits for theirs.
            clear(db, now)?;
            Ok(if written == 1 { NonceUse::First } else { NonceUse::Again })
        })
    }
}

/// Clears away some of what expired, but for what others are clearing away on PostgreSQL.
fn clear(db: &mut Db, now: i64) -> QueryResult<usize> {
    let expired = nonces::table
        .filter(nonces::expires_at.le(now))
        .order(nonces::expires_at)
        .limit(CLEARED)
        .select(nonces::hash);
    let expired: Vec<Vec<u8>> = match db {
        Db::Sqlite(sqlite) => expired.load(sqlite)?,
        Db::Postgres(postgres) => expired.for_update().skip_locked().load(postgres)?,
    };
    if expired.is_empty() {
        return Ok(0);
    }
    diesel::delete(nonces::table.filter(nonces::hash.eq_any(expired))).execute(db)
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;
    use crate::testing;

    /// A table that grew while many came shrinks as a few come, a little at a time.
    #[test]
    fn what_expired_is_cleared_away_as_new_ones_come() {
        for place in testing::both() {
            let count = || {
                let count = |db: &mut Db| nonces::table.count().get_result::<i64>(db);
                count(&mut place.stores.control_database().connection().unwrap().db).unwrap()
            };
            let remember = |number: u8, now, until| {
                let control = place.stores.control();
                let used = control
                    .write(|tx| tx.nonces().remember(&[number; 32], sample::at(now), sample::at(until)));
                assert_eq!(used.unwrap(), NonceUse::First);
            };
            for number in 0..100 {
                remember(number, 0, 10);
            }
            assert_eq!(count(), 100);
            remember(100, 9, 20);
            assert_eq!(count(), 101);
            remember(101, 10, 20);
            assert_eq!(count(), 102 - CLEARED);
            remember(102, 10, 20);
            assert_eq!(count(), 3, "what has not expired is kept");
        }
    }
}
