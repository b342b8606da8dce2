use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{StepError, StepKind, StepRecord, StepStatus};
use tenantry_ports::{StoreError, StoreResult};

use crate::convert::{micros, named, number, optional_time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::provisioning_steps as steps;

/// A row of `provisioning_steps`: one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = steps, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct StepRow {
    tenant_id: String,
    pub(super) run_number: i64,
    position: i64,
    kind: String,
    attempt: i64,
    status: String,
    started_at: Option<i64>,
    completed_at: Option<i64>,
    log: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    undone_at: Option<i64>,
}

impl StepRow {
    fn new(tenant: TenantId, run: u32, position: i64, record: &StepRecord) -> Self {
        let (error_code, error_message) =
            record.error.as_ref().map(|error| (error.code.clone(), error.message.clone())).unzip();
        Self {
            tenant_id: tenant.to_string(),
            run_number: i64::from(run),
            position,
            kind: record.kind.to_string(),
            attempt: i64::from(record.attempt),
            status: record.status.as_str().to_owned(),
            started_at: record.started_at.map(micros),
            completed_at: record.completed_at.map(micros),
            log: record.log.clone(),
            error_code,
            error_message,
            undone_at: record.undone_at.map(micros),
        }
    }

    pub(super) fn record(self) -> StoreResult<StepRecord> {
        let error = match (self.error_code, self.error_message) {
            (Some(code), Some(message)) => Some(StepError { code, message }),
            (None, None) => None,
            _ => return Err(StoreError::corrupt("provisioning step", "half an error")),
        };
        Ok(StepRecord {
            kind: named("provisioning step", &self.kind, StepKind::parse)?,
            attempt: number("provisioning step", self.attempt)?,
            status: named("provisioning step", &self.status, StepStatus::parse)?,
            started_at: optional_time("provisioning step", self.started_at)?,
            completed_at: optional_time("provisioning step", self.completed_at)?,
            log: self.log,
            error,
            undone_at: optional_time("provisioning step", self.undone_at)?,
        })
    }
}

/// The attempts of one run, or of every run of the tenant, in order.
pub(super) fn load(db: &mut Db, tenant: TenantId, run: Option<u32>) -> QueryResult<Vec<StepRow>> {
    let mut query = steps::table
        .filter(steps::tenant_id.eq(tenant.to_string()))
        .select(StepRow::as_select())
        .order((steps::run_number, steps::position))
        .into_boxed();
    if let Some(run) = run {
        query = query.filter(steps::run_number.eq(i64::from(run)));
    }
    query.load(db)
}

/// Writes what of the journal is not stored yet. An attempt that is stored is completed, never removed.
pub(super) fn save(db: &mut Db, tenant: TenantId, run: u32, journal: &[StepRecord]) -> Answer<()> {
    let stored = load(db, tenant, Some(run))?;
    if stored.len() > journal.len() {
        return Err(StoreError::Failed("a journal never gets shorter".into()).into());
    }
    for (position, record) in (0..).zip(journal) {
        let row = StepRow::new(tenant, run, position, record);
        match stored.iter().find(|stored| stored.position == position) {
            Some(stored) if *stored == row => {}
            Some(_) => {
                let key = (row.tenant_id.clone(), row.run_number, row.position);
                diesel::update(steps::table.find(key)).set(row).execute(db)?;
            }
            None => {
                diesel::insert_into(steps::table).values(row).execute(db)?;
            }
        }
    }
    Ok(())
}
