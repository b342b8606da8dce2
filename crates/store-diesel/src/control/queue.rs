//! Claiming runs and writing them back: what the worker does, in as few round trips as can be.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::tenant::Run;
use tenantry_ports::{Claim, Lease, StoreError, StoreResult};

use super::run_row::{RunRow, direction_column};
use super::steps::{self, StepRow};
use super::tenant_row::TenantRow;
use crate::bulk::{Answers, Bind, Bulk, Sql};
use crate::convert::from_json;
use crate::db::Db;
use crate::error::Answer;
use crate::schema::{provisioning_runs as runs, provisioning_steps, tenants};

/// Claims the run that is longest due. Whatever of it, or of its tenant, does not make sense would not at the next claim
/// either: that run is set aside, and the next one claimed.
pub(super) fn claim(db: &mut Db, worker: &str, now: i64, until: i64) -> Answer<Option<Claim>> {
    while let Some(row) = lease_next(db, worker, now, until)? {
        let found = tenant_and_journal(db, &row)?;
        match claimed(&row, found) {
            Err(error @ StoreError::Corrupt { .. }) => set_aside(db, &row, &error)?,
            claim => return Ok(Some(claim?)),
        }
    }
    Ok(None)
}

fn claimed(row: &RunRow, found: Vec<(TenantRow, Option<StepRow>)>) -> StoreResult<Claim> {
    let (mut tenants, journal): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let missing = || StoreError::corrupt("provisioning run", "its tenant is missing");
    let run = row.run(journal.into_iter().flatten())?;
    Ok(Claim {
        lease: Lease { tenant: run.tenant, number: run.number, fence: row.fence },
        run,
        tenant: tenants.pop().ok_or_else(missing)?.tenant()?,
        admin: row.admin.as_deref().map(|admin| from_json("pending admin", admin)).transpose()?,
    })
}

/// Leases the run that is longest due and not leased, and on PostgreSQL not being claimed by somebody else right now.
fn lease_next(db: &mut Db, worker: &str, now: i64, until: i64) -> QueryResult<Option<RunRow>> {
    match db {
        Db::Sqlite(sqlite) => {
            let query = runs::table
                .filter(runs::due_at.le(now))
                .filter(runs::leased_until.is_null().or(runs::leased_until.le(now)))
                .order((runs::due_at, runs::tenant_id, runs::number))
                .select(RunRow::as_select());
            let Some(mut row) = query.first(sqlite).optional()? else {
                return Ok(None);
            };
            row.fence += 1;
            let lease = (runs::leased_by.eq(worker), runs::leased_until.eq(until), runs::fence.eq(row.fence));
            diesel::update(runs::table.find((&row.tenant_id, row.number))).set(lease).execute(sqlite)?;
            Ok(Some(row))
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
            SELECT tenant_id, number FROM provisioning_runs \
            WHERE due_at <= ? AND (leased_until IS NULL OR leased_until <= ?) \
            ORDER BY due_at, tenant_id, number LIMIT 1 \
            FOR UPDATE SKIP LOCKED \
        ) \
        UPDATE provisioning_runs AS run SET leased_by = ?, leased_until = ?, fence = run.fence + 1 \
        FROM due WHERE run.tenant_id = due.tenant_id AND run.number = due.number \
        RETURNING run.tenant_id, run.number, run.kind, run.with_admin, run.direction, run.admin, run.fence";
}

impl Answers for LeaseNext {
    type Columns = (Text, BigInt, Text, Bool, Text, Nullable<Text>, BigInt);
}

/// The tenant, once per attempt of the run in order, or once. A statement of its own, which begins once the run is locked:
/// in one with the claim, PostgreSQL could show a journal from before whoever gave the run back at that moment.
fn tenant_and_journal(db: &mut Db, row: &RunRow) -> QueryResult<Vec<(TenantRow, Option<StepRow>)>> {
    let of_run =
        provisioning_steps::tenant_id.eq(tenants::id).and(provisioning_steps::run_number.eq(row.number));
    tenants::table
        .left_join(provisioning_steps::table.on(of_run))
        .filter(tenants::id.eq(&row.tenant_id))
        .order(provisioning_steps::position)
        .select((TenantRow::as_select(), Option::<StepRow>::as_select()))
        .load(db)
}

fn set_aside(db: &mut Db, row: &RunRow, why: &StoreError) -> Answer<()> {
    let (tenant, number) = (&row.tenant_id, row.number);
    tracing::error!("Run {number} of tenant {tenant} is set aside, since it cannot be worked on: {why}");
    let changes = (
        runs::due_at.eq(None::<i64>),
        runs::leased_by.eq(None::<String>),
        runs::leased_until.eq(None::<i64>),
        runs::set_aside.eq(why.to_string()),
    );
    diesel::update(runs::table.find((tenant, number))).set(changes).execute(db)?;
    Ok(())
}

/// What becomes of a claimed run; times in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    /// Its worker goes on with it.
    Held { until: i64 },
    /// Any worker may, from then on.
    Due { at: i64 },
    /// Nobody does.
    Closed,
}

/// Writes a claimed run and its journal. An attempt that is stored is completed, never removed.
pub(super) fn settle(db: &mut Db, lease: &Lease, run: &Run, next: Next) -> Answer<()> {
    let direction = direction_column(run.direction);
    let journal = steps::rows(lease.tenant, lease.number, &run.journal);
    match db {
        Db::Sqlite(sqlite) => {
            let run = diesel::update(leased(lease));
            let direction = runs::direction.eq(direction);
            let freed = (runs::leased_by.eq(None::<String>), runs::leased_until.eq(None::<i64>));
            let written = match next {
                Next::Held { until } => run.set((direction, runs::leased_until.eq(until))).execute(sqlite)?,
                Next::Due { at } => run.set((direction, freed, runs::due_at.eq(at))).execute(sqlite)?,
                Next::Closed => {
                    let over = (runs::due_at.eq(None::<i64>), runs::closed.eq(true));
                    run.set((direction, freed, over)).execute(sqlite)?
                }
            };
            if written == 0 {
                return Err(StoreError::Stale.into());
            }
            steps::save(sqlite, lease.tenant, lease.number, journal)
        }
        Db::Postgres(postgres) => {
            let tenant = lease.tenant.to_string();
            let statement = settle_at_once(&tenant, lease, direction, next, &journal);
            match statement.get_result::<bool>(postgres).optional()? {
                None => Err(StoreError::Stale.into()),
                Some(true) => Err(steps::shorter().into()),
                Some(false) => Ok(()),
            }
        }
    }
}

/// The run this lease is on, as long as it is.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn leased<'a>(lease: &'a Lease) -> _ {
    let number: i64 = i64::from(lease.number);
    let tenant: String = lease.tenant.to_string();
    let fence: i64 = lease.fence;
    runs::table.find((tenant, number)).filter(runs::fence.eq(fence)).filter(runs::leased_by.is_not_null())
}

struct Settle;

impl Sql for Settle {
    const TEXT: &'static str = "\
        WITH settled (direction, held_until, due_at, closed) AS (VALUES (?, ?, ?, ?)), leased AS ( \
            UPDATE provisioning_runs AS run SET direction = settled.direction, \
                leased_until = held_until, leased_by = CASE WHEN held_until IS NOT NULL THEN leased_by END, \
                due_at = CASE WHEN held_until IS NOT NULL THEN run.due_at ELSE settled.due_at END, \
                closed = settled.closed \
            FROM settled \
            WHERE tenant_id = ? AND number = ? AND fence = ? AND leased_by IS NOT NULL \
            RETURNING tenant_id, number \
        ), stored AS ( \
            SELECT tenant_id, run_number, position, kind, attempt, status, \
                started_at, completed_at, log, error_code, error_message, undone_at \
            FROM provisioning_steps JOIN leased USING (tenant_id) WHERE run_number = number \
        ), written AS ( \
            INSERT INTO provisioning_steps (tenant_id, run_number, position, kind, attempt, status, \
                started_at, completed_at, log, error_code, error_message, undone_at) \
            SELECT leased.*, step.* FROM leased, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS step \
            EXCEPT SELECT * FROM stored \
            ON CONFLICT (tenant_id, run_number, position) DO UPDATE SET \
                kind = excluded.kind, attempt = excluded.attempt, status = excluded.status, \
                started_at = excluded.started_at, completed_at = excluded.completed_at, \
                log = excluded.log, error_code = excluded.error_code, \
                error_message = excluded.error_message, undone_at = excluded.undone_at \
        ) \
        SELECT (SELECT count(*) FROM stored) > ? FROM leased";
}

/// Whether the journal would get shorter; nothing if the lease is over.
impl Answers for Settle {
    type Columns = Bool;
}

fn settle_at_once<'a>(
    tenant: &'a str,
    lease: &Lease,
    direction: &'a str,
    next: Next,
    journal: &'a [StepRow],
) -> Bulk<'a, Settle> {
    let (until, due) = match next {
        Next::Held { until } => (Some(until), None),
        Next::Due { at } => (None, Some(at)),
        Next::Closed => (None, None),
    };
    let mut binds = vec![
        Bind::Text(direction),
        Bind::OptionalNumber(until),
        Bind::OptionalNumber(due),
        Bind::Flag(matches!(next, Next::Closed)),
        Bind::Text(tenant),
        Bind::Number(i64::from(lease.number)),
        Bind::Number(lease.fence),
    ];
    binds.extend(steps::columns(journal));
    binds.push(Bind::Number(steps::length(journal)));
    Bulk::new(binds)
}

#[cfg(test)]
mod tests;
