use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_domain::id::TenantId;
use tenantry_ports::{DayLook, DayRepository, StoreError, StoreResult};

use crate::bulk::{Answers, Bind, Bulk, Sql};
use crate::convert::{micros, parse, time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::tenant_days as days;
use crate::transaction::Transaction;

/// What a look is known by, and its fence.
type LookRow = (i64, String, i64);

fn look((at, tenant, fence): LookRow) -> StoreResult<DayLook> {
    const WHAT: &str = "look at a tenant's accounts";
    Ok(DayLook { tenant: parse(WHAT, &tenant)?, at: time(WHAT, at)?, fence })
}

impl DayRepository for Transaction<'_> {
    fn note(&mut self, tenant: TenantId, at: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            note(db, tenant, at)?;
            Ok(())
        })
    }

    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<DayLook>> {
        self.write(|db| {
            let row = lease_next(db, worker, micros(now), micros(now + lease))?;
            Ok(row.map(look).transpose()?)
        })
    }

    fn settle(&mut self, look: &DayLook, next: Option<DateTime<Utc>>) -> StoreResult<()> {
        self.write(|db| {
            let leased = days::table
                .find((micros(look.at), look.tenant.to_string()))
                .filter(days::fence.eq(look.fence))
                .filter(days::leased_by.is_not_null());
            if diesel::delete(leased).execute(db)? == 0 {
                return Err(StoreError::Stale.into());
            }
            if let Some(next) = next {
                note(db, look.tenant, next)?;
            }
            Ok(())
        })
    }
}

fn note(db: &mut Db, tenant: TenantId, at: DateTime<Utc>) -> Answer<()> {
    let row = (days::due_at.eq(micros(at)), days::tenant_id.eq(tenant.to_string()));
    let insert = diesel::insert_into(days::table).values(row).on_conflict_do_nothing();
    match db {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(())
}

/// Leases the look that is longest due and not leased, and on PostgreSQL not being claimed by somebody else right now.
fn lease_next(db: &mut Db, worker: &str, now: i64, until: i64) -> QueryResult<Option<LookRow>> {
    match db {
        Db::Sqlite(sqlite) => {
            let due = days::table
                .filter(days::due_at.le(now))
                .filter(days::leased_until.is_null().or(days::leased_until.le(now)))
                .order((days::due_at, days::tenant_id))
                .select((days::due_at, days::tenant_id, days::fence));
            let Some((at, tenant, fence)) = due.first::<LookRow>(sqlite).optional()? else {
                return Ok(None);
            };
            let lease = (days::leased_by.eq(worker), days::leased_until.eq(until), days::fence.eq(fence + 1));
            diesel::update(days::table.find((at, &tenant))).set(lease).execute(sqlite)?;
            Ok(Some((at, tenant, fence + 1)))
        }
        Db::Postgres(postgres) => {
            let statement = Bulk::<LeaseNext>::new([
                Bind::Number(now),
                Bind::Number(now),
                Bind::Text(worker),
                Bind::Number(until),
            ]);
            statement.get_result(postgres).optional()
        }
    }
}

struct LeaseNext;

impl Sql for LeaseNext {
    const TEXT: &'static str = "\
        WITH due AS MATERIALIZED ( \
            SELECT due_at, tenant_id FROM tenant_days \
            WHERE due_at <= ? AND (leased_until IS NULL OR leased_until <= ?) \
            ORDER BY due_at, tenant_id LIMIT 1 \
            FOR UPDATE SKIP LOCKED \
        ) \
        UPDATE tenant_days AS look SET leased_by = ?, leased_until = ?, fence = look.fence + 1 \
        FROM due WHERE look.due_at = due.due_at AND look.tenant_id = due.tenant_id \
        RETURNING look.due_at, look.tenant_id, look.fence";
}

impl Answers for LeaseNext {
    type Columns = (BigInt, Text, BigInt);
}
