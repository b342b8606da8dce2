use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Run;
use tenantry_ports::{Claim, Lease, OpenRun, PendingAdmin, RunRepository, StoreError, StoreResult};

use super::queue::{self, Next};
use super::run_row::{RunRow, direction_column, kind_columns};
use super::steps;
use crate::convert::{from_json, micros, number, optional_time, parse, time, to_json};
use crate::error::Answer;
use crate::schema::provisioning_runs as runs;
use crate::transaction::Transaction;

impl RunRepository for Transaction<'_> {
    fn insert(&mut self, run: &Run, admin: Option<&PendingAdmin>) -> StoreResult<()> {
        self.write(|db| {
            let (kind, with_admin) = kind_columns(run.kind);
            let row = (
                runs::tenant_id.eq(run.tenant.to_string()),
                runs::number.eq(i64::from(run.number)),
                runs::kind.eq(kind),
                runs::with_admin.eq(with_admin),
                runs::direction.eq(direction_column(run.direction)),
                runs::admin.eq(admin.map(to_json).transpose()?),
                runs::fence.eq(0),
                runs::closed.eq(false),
            );
            diesel::insert_into(runs::table).values(row).execute(db)?;
            steps::insert(db, &steps::rows(run.tenant, run.number, &run.journal))
        })
    }

    fn enqueue(&mut self, tenant: TenantId, number: u32, due: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let open = runs::table.find((tenant.to_string(), i64::from(number))).filter(not(runs::closed));
            let changes = (runs::due_at.eq(micros(due)), runs::set_aside.eq(None::<String>));
            found(diesel::update(open).set(changes).execute(db)?)
        })
    }

    fn of_tenant(&mut self, tenant: TenantId) -> StoreResult<Vec<Run>> {
        self.read(|db| {
            let query = runs::table.filter(runs::tenant_id.eq(tenant.to_string())).order(runs::number);
            let rows = query.select(RunRow::as_select()).load(db)?;
            let mut journals = steps::of_tenant(db, tenant)?;
            let of_run = |row: RunRow| row.run(journals.extract_if(.., |step| step.run_number == row.number));
            Ok(rows.into_iter().map(of_run).collect::<StoreResult<_>>()?)
        })
    }

    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<Claim>> {
        self.write(|db| queue::claim(db, worker, micros(now), micros(now + lease)))
    }

    fn record(&mut self, lease: &Lease, run: &Run, until: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| queue::settle(db, lease, run, Next::Held { until: micros(until) }))
    }

    fn renew(&mut self, lease: &Lease, until: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let run = diesel::update(queue::leased(lease));
            found(run.set(runs::leased_until.eq(micros(until))).execute(db)?)
        })
    }

    fn holds(&mut self, lease: &Lease) -> StoreResult<()> {
        self.read(|db| {
            let held = queue::leased(lease).select(runs::fence).first::<i64>(db).optional()?;
            held.map(|_| ()).ok_or(StoreError::Stale.into())
        })
    }

    fn release(&mut self, lease: &Lease, run: &Run, due: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| queue::settle(db, lease, run, Next::Due { at: micros(due) }))
    }

    fn close(&mut self, lease: &Lease, run: &Run) -> StoreResult<()> {
        self.write(|db| queue::settle(db, lease, run, Next::Closed))
    }

    fn cancel(&mut self, tenant: TenantId, number: u32) -> StoreResult<()> {
        self.write(|db| {
            let idle = runs::table
                .find((tenant.to_string(), i64::from(number)))
                .filter(not(runs::closed))
                .filter(runs::leased_by.is_null());
            let changes =
                (runs::closed.eq(true), runs::due_at.eq(None::<i64>), runs::set_aside.eq(None::<String>));
            found(diesel::update(idle).set(changes).execute(db)?)
        })
    }

    fn take_admin(&mut self, tenant: TenantId) -> StoreResult<Option<PendingAdmin>> {
        self.write(|db| {
            let waiting = runs::table
                .filter(runs::tenant_id.eq(tenant.to_string()))
                .filter(runs::admin.is_not_null())
                .order(runs::number)
                .select(RunRow::as_select());
            let Some(row) = waiting.first(db).optional()? else {
                return Ok(None);
            };
            let run = runs::table.find((&row.tenant_id, row.number)).filter(runs::admin.is_not_null());
            let taken = diesel::update(run).set(runs::admin.eq(None::<String>)).execute(db)?;
            if taken == 0 {
                // Somebody else has taken it since it was read.
                return Ok(None);
            }
            Ok(row.admin.as_deref().map(|admin| from_json("pending admin", admin)).transpose()?)
        })
    }

    fn open(&mut self) -> StoreResult<Vec<OpenRun>> {
        self.read(|db| {
            let query = runs::table
                .filter(not(runs::closed))
                .order((runs::due_at.is_null(), runs::due_at, runs::tenant_id, runs::number))
                .select((runs::tenant_id, runs::number, runs::due_at, runs::leased_by, runs::leased_until));
            Ok(query.load(db)?.into_iter().map(open_run).collect::<StoreResult<_>>()?)
        })
    }

    fn set_aside(&mut self) -> StoreResult<Vec<(TenantId, u32, String)>> {
        self.read(|db| {
            let query = runs::table
                .filter(not(runs::closed))
                .filter(runs::set_aside.is_not_null())
                .order((runs::tenant_id, runs::number))
                .select((runs::tenant_id, runs::number, runs::set_aside.assume_not_null()));
            let aside = |(tenant, run, reason): (String, i64, String)| {
                Ok((parse("provisioning run", &tenant)?, number("provisioning run", run)?, reason))
            };
            Ok(query.load(db)?.into_iter().map(aside).collect::<StoreResult<_>>()?)
        })
    }
}

type OpenColumns = (String, i64, Option<i64>, Option<String>, Option<i64>);

fn open_run((tenant, run, due, leased_by, leased_until): OpenColumns) -> StoreResult<OpenRun> {
    let lease = match (leased_by, leased_until) {
        (Some(by), Some(until)) => Some((by, time("provisioning run", until)?)),
        (None, None) => None,
        _ => return Err(StoreError::corrupt("provisioning run", "half a lease")),
    };
    Ok(OpenRun {
        tenant: parse("provisioning run", &tenant)?,
        number: number("provisioning run", run)?,
        due: optional_time("provisioning run", due)?,
        lease,
    })
}

fn found(rows: usize) -> Answer<()> {
    match rows {
        0 => Err(StoreError::Stale.into()),
        _ => Ok(()),
    }
}
