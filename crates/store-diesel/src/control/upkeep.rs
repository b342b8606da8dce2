use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use tenantry_ports::{StoreError, StoreResult, UpkeepRepository, UpkeepRound};

use crate::convert::{micros, optional, time};
use crate::schema::upkeep::{self, dsl};
use crate::transaction::Transaction;

/// The key of the one row.
const ONE: i64 = 1;

impl UpkeepRepository for Transaction<'_> {
    fn claim(
        &mut self,
        worker: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> StoreResult<Option<UpkeepRound>> {
        self.write(|db| {
            let free = upkeep::table
                .filter(dsl::id.eq(ONE))
                .filter(dsl::due_at.le(micros(now)))
                .filter(dsl::leased_until.is_null().or(dsl::leased_until.le(micros(now))));
            let lease = (
                dsl::leased_by.eq(worker),
                dsl::leased_until.eq(micros(now + lease)),
                dsl::fence.eq(dsl::fence + 1),
            );
            if diesel::update(free).set(lease).execute(db)? == 0 {
                return Ok(None);
            }
            let row = upkeep::table.find(ONE).select((dsl::begun_at, dsl::after_tenant, dsl::fence));
            let (begun_at, after, fence): (i64, Option<String>, i64) = row.first(db)?;
            const WHAT: &str = "round of upkeep";
            let (begun_at, after) = (time(WHAT, begun_at)?, optional(WHAT, after.as_deref())?);
            Ok(Some(UpkeepRound { begun_at, after, fence }))
        })
    }

    fn settle(&mut self, round: &UpkeepRound, due: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let leased = upkeep::table
                .filter(dsl::id.eq(ONE))
                .filter(dsl::fence.eq(round.fence))
                .filter(dsl::leased_until.is_not_null());
            let settled = (
                dsl::begun_at.eq(micros(round.begun_at)),
                dsl::after_tenant.eq(round.after.map(|tenant| tenant.to_string())),
                dsl::due_at.eq(micros(due)),
                dsl::leased_by.eq(None::<String>),
                dsl::leased_until.eq(None::<i64>),
            );
            match diesel::update(leased).set(settled).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }
}
