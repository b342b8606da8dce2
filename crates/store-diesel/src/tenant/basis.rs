use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::upsert::excluded;
use tenantry_domain::basis::{BasisConfig, Kept, Label, Process, ProcessConfig, Subject};
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{BasisRepository, ConfigurationVersion, StoreError, StoreResult};

use super::config_versions;
use crate::convert::{from_json, limit, micros, parse, time, to_json};
use crate::db::{Db, MultiBackend};
use crate::schema::{basis, processes};
use crate::transaction::Transaction;

/// The only row of `basis`.
const SLOT: i64 = 1;

/// The row of `basis`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = basis)]
struct BasisRow {
    slot: i64,
    id: String,
    document: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl BasisRow {
    fn new(basis: &BasisConfig) -> StoreResult<Self> {
        Ok(Self {
            slot: SLOT,
            id: basis.id.to_string(),
            document: to_json(&basis.content)?,
            version: basis.version,
            created_at: micros(basis.created_at),
            updated_at: micros(basis.updated_at),
        })
    }

    fn config(self) -> StoreResult<BasisConfig> {
        Ok(Kept {
            id: parse("basis", &self.id)?,
            content: from_json("basis", &self.document)?,
            version: self.version,
            created_at: time("basis", self.created_at)?,
            updated_at: time("basis", self.updated_at)?,
        })
    }
}

/// A row of `processes`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = processes)]
struct ProcessRow {
    id: String,
    process_type: String,
    name: String,
    steps: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl ProcessRow {
    fn new(process: &ProcessConfig) -> StoreResult<Self> {
        Ok(Self {
            id: process.id.to_string(),
            process_type: process.content.process_type.to_string(),
            name: process.content.name.to_string(),
            steps: to_json(&process.content.steps)?,
            version: process.version,
            created_at: micros(process.created_at),
            updated_at: micros(process.updated_at),
        })
    }

    fn config(self) -> StoreResult<ProcessConfig> {
        let content = Process {
            name: parse("process", &self.name)?,
            process_type: parse("process", &self.process_type)?,
            steps: from_json("process", &self.steps)?,
        };
        Ok(Kept {
            id: parse("process", &self.id)?,
            content,
            version: self.version,
            created_at: time("process", self.created_at)?,
            updated_at: time("process", self.updated_at)?,
        })
    }
}

impl BasisRepository for Transaction<'_> {
    fn basis(&mut self) -> StoreResult<Option<BasisConfig>> {
        self.read(|db| {
            let row = basis::table.find(SLOT).select(BasisRow::as_select()).get_result(db).optional()?;
            Ok(row.map(BasisRow::config).transpose()?)
        })
    }

    fn put_basis(&mut self, config: &BasisConfig) -> StoreResult<()> {
        self.write(|db| {
            let upsert = diesel::insert_into(basis::table)
                .values(BasisRow::new(config)?)
                .on_conflict(basis::slot)
                .do_update()
                .set((
                    basis::document.eq(excluded(basis::document)),
                    basis::version.eq(excluded(basis::version)),
                    basis::updated_at.eq(excluded(basis::updated_at)),
                ));
            let is_next = basis::id.eq(excluded(basis::id)).and(basis::version.eq(config.version - 1));
            let upsert = methods::FilterDsl::filter(upsert, is_next);
            let written = match db {
                Db::Sqlite(sqlite) => upsert.execute(sqlite)?,
                Db::Postgres(postgres) => upsert.execute(postgres)?,
            };
            if written == 0 { Err(StoreError::Stale.into()) } else { Ok(()) }
        })
    }

    fn process(&mut self, id: ProcessConfigId) -> StoreResult<Option<ProcessConfig>> {
        self.read(|db| {
            let query = processes::table.find(id.to_string()).select(ProcessRow::as_select());
            Ok(query.get_result(db).optional()?.map(ProcessRow::config).transpose()?)
        })
    }

    fn process_named(&mut self, process_type: &Label, name: &Label) -> StoreResult<Option<ProcessConfig>> {
        self.read(|db| {
            let query = processes::table
                .filter(processes::process_type.eq(process_type.as_str()))
                .filter(processes::name.eq(name.as_str()))
                .select(ProcessRow::as_select());
            Ok(query.get_result(db).optional()?.map(ProcessRow::config).transpose()?)
        })
    }

    fn insert_process(&mut self, process: &ProcessConfig) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(processes::table).values(ProcessRow::new(process)?).execute(db)?;
            Ok(())
        })
    }

    fn update_process(&mut self, process: &ProcessConfig) -> StoreResult<()> {
        self.write(|db| {
            let row = ProcessRow::new(process)?;
            let before = processes::table.find(row.id).filter(processes::version.eq(row.version - 1));
            let columns = (
                processes::process_type.eq(row.process_type),
                processes::name.eq(row.name),
                processes::steps.eq(row.steps),
                processes::version.eq(row.version),
                processes::updated_at.eq(row.updated_at),
            );
            match diesel::update(before).set(columns).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn remove_process(&mut self, id: ProcessConfigId, version: i64) -> StoreResult<()> {
        self.write(|db| {
            let row = processes::table.find(id.to_string()).filter(processes::version.eq(version));
            match diesel::delete(row).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn processes(
        &mut self,
        process_type: Option<&Label>,
        after: Option<ProcessConfigId>,
        most: usize,
    ) -> StoreResult<Vec<ProcessConfig>> {
        self.read(|db| {
            let mut query = processes::table
                .select(ProcessRow::as_select())
                .order(processes::id.desc())
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(wanted) = process_type {
                query = query.filter(processes::process_type.eq(wanted.as_str()));
            }
            if let Some(after) = after {
                query = query.filter(processes::id.lt(after.to_string()));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(ProcessRow::config).collect::<StoreResult<_>>()?)
        })
    }

    fn add_versions(&mut self, versions: &[ConfigurationVersion]) -> StoreResult<()> {
        if versions.is_empty() { Ok(()) } else { self.write(|db| config_versions::add(db, versions)) }
    }

    fn version(&mut self, subject: Subject, version: i64) -> StoreResult<Option<ConfigurationVersion>> {
        self.read(|db| config_versions::one(db, subject, version))
    }

    fn versions(
        &mut self,
        subject: Subject,
        before: Option<i64>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>> {
        self.read(|db| config_versions::newest_first(db, subject, before, limit))
    }

    fn every_version(
        &mut self,
        after: Option<(Subject, i64)>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>> {
        self.read(|db| config_versions::in_order(db, after, limit))
    }
}
