use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Direction, Run};
use tenantry_ports::{Claim, Lease, PendingAdmin, RunRepository, StoreError, StoreResult};

use super::steps::{self, StepRow};
use crate::convert::{from_json, micros, number, parse, to_json};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::provisioning_runs as runs;
use crate::transaction::Transaction;

const FORWARD: &str = "Forward";
const UNWIND: &str = "Unwind";

/// A row of `provisioning_runs`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
struct RunRow {
    tenant_id: String,
    number: i64,
    with_admin: bool,
    direction: String,
    admin: Option<String>,
    due_at: Option<i64>,
    leased_by: Option<String>,
    leased_until: Option<i64>,
    fence: i64,
    closed: bool,
}

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => FORWARD,
        Direction::Unwind => UNWIND,
    }
}

impl RunRow {
    fn run(&self, journal: Vec<StepRow>) -> StoreResult<Run> {
        let direction = match self.direction.as_str() {
            FORWARD => Direction::Forward,
            UNWIND => Direction::Unwind,
            other => {
                return Err(StoreError::corrupt(
                    "provisioning run",
                    format!("there is no direction {other:?}"),
                ));
            }
        };
        Ok(Run {
            tenant: parse("provisioning run", &self.tenant_id)?,
            number: number("provisioning run", self.number)?,
            with_admin: self.with_admin,
            direction,
            journal: journal.into_iter().map(StepRow::record).collect::<StoreResult<_>>()?,
        })
    }
}

impl RunRepository for Transaction<'_> {
    fn insert(&mut self, run: &Run, admin: Option<&PendingAdmin>) -> StoreResult<()> {
        self.write(|db| {
            let row = RunRow {
                tenant_id: run.tenant.to_string(),
                number: i64::from(run.number),
                with_admin: run.with_admin,
                direction: direction_name(run.direction).to_owned(),
                admin: admin.map(to_json).transpose()?,
                due_at: None,
                leased_by: None,
                leased_until: None,
                fence: 0,
                closed: false,
            };
            diesel::insert_into(runs::table).values(row).execute(db)?;
            steps::save(db, run.tenant, run.number, &run.journal)
        })
    }

    fn enqueue(&mut self, tenant: TenantId, number: u32, due: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let open =
                runs::table.find((tenant.to_string(), i64::from(number))).filter(runs::closed.eq(false));
            found(diesel::update(open).set(runs::due_at.eq(micros(due))).execute(db)?)
        })
    }

    fn of_tenant(&mut self, tenant: TenantId) -> StoreResult<Vec<Run>> {
        self.read(|db| {
            let query = runs::table.filter(runs::tenant_id.eq(tenant.to_string())).order(runs::number);
            let rows = query.select(RunRow::as_select()).load(db)?;
            let mut journals = steps::load(db, tenant, None)?;
            let of_run = |row: RunRow| {
                row.run(journals.extract_if(.., |step| step.run_number == row.number).collect())
            };
            Ok(rows.into_iter().map(of_run).collect::<StoreResult<_>>()?)
        })
    }

    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<Claim>> {
        self.write(|db| {
            let Some(row) = next_due(db, micros(now))? else {
                return Ok(None);
            };
            let fence = row.fence + 1;
            diesel::update(runs::table.find((&row.tenant_id, row.number)))
                .set((
                    runs::leased_by.eq(worker),
                    runs::leased_until.eq(micros(now + lease)),
                    runs::fence.eq(fence),
                ))
                .execute(db)?;
            let tenant = parse("provisioning run", &row.tenant_id)?;
            let number = number("provisioning run", row.number)?;
            let run = row.run(steps::load(db, tenant, Some(number))?)?;
            let admin = row.admin.as_deref().map(|admin| from_json("pending admin", admin)).transpose()?;
            Ok(Some(Claim { lease: Lease { tenant, number, fence }, run, admin }))
        })
    }

    fn record(&mut self, lease: &Lease, run: &Run, until: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let changes =
                (runs::direction.eq(direction_name(run.direction)), runs::leased_until.eq(micros(until)));
            found(diesel::update(leased(lease)).set(changes).execute(db)?)?;
            steps::save(db, lease.tenant, lease.number, &run.journal)
        })
    }

    fn renew(&mut self, lease: &Lease, until: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            found(diesel::update(leased(lease)).set(runs::leased_until.eq(micros(until))).execute(db)?)
        })
    }

    fn release(&mut self, lease: &Lease, run: &Run, due: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let changes = (
                runs::direction.eq(direction_name(run.direction)),
                runs::due_at.eq(micros(due)),
                runs::leased_by.eq(None::<String>),
                runs::leased_until.eq(None::<i64>),
            );
            found(diesel::update(leased(lease)).set(changes).execute(db)?)?;
            steps::save(db, lease.tenant, lease.number, &run.journal)
        })
    }

    fn close(&mut self, lease: &Lease, run: &Run) -> StoreResult<()> {
        self.write(|db| {
            let changes = (
                runs::direction.eq(direction_name(run.direction)),
                runs::admin.eq(None::<String>),
                runs::due_at.eq(None::<i64>),
                runs::leased_by.eq(None::<String>),
                runs::leased_until.eq(None::<i64>),
                runs::closed.eq(true),
            );
            found(diesel::update(leased(lease)).set(changes).execute(db)?)?;
            steps::save(db, lease.tenant, lease.number, &run.journal)
        })
    }
}

/// The run this lease is on, as long as it is.
#[diesel::dsl::auto_type(no_type_alias)]
fn leased<'a>(lease: &'a Lease) -> _ {
    let number: i64 = i64::from(lease.number);
    let tenant: String = lease.tenant.to_string();
    let fence: i64 = lease.fence;
    runs::table.find((tenant, number)).filter(runs::fence.eq(fence)).filter(runs::leased_by.is_not_null())
}

fn found(rows: usize) -> Answer<()> {
    match rows {
        0 => Err(StoreError::Stale.into()),
        _ => Ok(()),
    }
}

/// The run that is longest due and not leased, and on PostgreSQL not being claimed by somebody else right now.
fn next_due(db: &mut Db, now: i64) -> QueryResult<Option<RunRow>> {
    let query = runs::table
        .filter(runs::due_at.le(now))
        .filter(runs::leased_until.is_null().or(runs::leased_until.le(now)))
        .order((runs::due_at, runs::tenant_id, runs::number));
    match db {
        Db::Sqlite(sqlite) => query.first(sqlite).optional(),
        Db::Postgres(postgres) => query.for_update().skip_locked().first(postgres).optional(),
    }
}
