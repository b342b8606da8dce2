use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{StepError, StepKind, StepRecord, StepStatus};
use tenantry_ports::{StoreError, StoreResult};

use crate::bulk::Bind;
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

/// A journal's rows.
pub(super) fn rows(tenant: TenantId, run: u32, journal: &[StepRecord]) -> Vec<StepRow> {
    (0..).zip(journal).map(|(position, record)| StepRow::new(tenant, run, position, record)).collect()
}

/// How many rows that is.
pub(super) fn length(rows: &[StepRow]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

/// What each of the rows has in its columns after the first two, which they have in common.
pub(super) fn columns(rows: &[StepRow]) -> [Bind<'_>; 10] {
    let optional = |text: fn(&StepRow) -> &Option<String>| {
        Bind::OptionalTexts(rows.iter().map(|row| text(row).as_deref()).collect())
    };
    let times = |time: fn(&StepRow) -> Option<i64>| Bind::OptionalNumbers(rows.iter().map(time).collect());
    [
        Bind::Numbers(rows.iter().map(|row| row.position).collect()),
        Bind::Texts(rows.iter().map(|row| row.kind.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.attempt).collect()),
        Bind::Texts(rows.iter().map(|row| row.status.as_str()).collect()),
        times(|row| row.started_at),
        times(|row| row.completed_at),
        optional(|row| &row.log),
        optional(|row| &row.error_code),
        optional(|row| &row.error_message),
        times(|row| row.undone_at),
    ]
}

/// The attempts of every run of the tenant, in order.
pub(super) fn of_tenant(db: &mut Db, tenant: TenantId) -> QueryResult<Vec<StepRow>> {
    steps::table
        .filter(steps::tenant_id.eq(tenant.to_string()))
        .select(StepRow::as_select())
        .order((steps::run_number, steps::position))
        .load(db)
}

/// Adds a new run's journal.
pub(super) fn insert(db: &mut Db, rows: &[StepRow]) -> Answer<()> {
    match db {
        _ if rows.is_empty() => {}
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(steps::table).values(row).execute(sqlite)?;
            }
        }
        Db::Postgres(postgres) => {
            diesel::insert_into(steps::table).values(rows).execute(postgres)?;
        }
    }
    Ok(())
}

/// Writes what of the journal is not stored yet, where looking for that costs no round trip.
pub(super) fn save(
    sqlite: &mut SqliteConnection,
    tenant: TenantId,
    run: u32,
    journal: Vec<StepRow>,
) -> Answer<()> {
    let of_run = steps::table
        .filter(steps::tenant_id.eq(tenant.to_string()))
        .filter(steps::run_number.eq(i64::from(run)));
    let stored = of_run.select(StepRow::as_select()).order(steps::position).load(sqlite)?;
    if stored.len() > journal.len() {
        return Err(shorter().into());
    }
    for (i, row) in journal.into_iter().enumerate() {
        match stored.get(i) {
            Some(stored) if *stored == row => {}
            Some(stored) => {
                let key = (&stored.tenant_id, stored.run_number, stored.position);
                diesel::update(steps::table.find(key)).set(row).execute(sqlite)?;
            }
            None => {
                diesel::insert_into(steps::table).values(row).execute(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Attempts are only ever added, so somebody has mistaken one run for another.
pub(super) fn shorter() -> StoreError {
    StoreError::Failed("a journal never gets shorter".into())
}
