use std::ops::Bound;

use tenantry_domain::basis::{BasisConfig, Label, ProcessConfig, Subject};
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{BasisRepository, ConfigurationVersion, Constraint, StoreError, StoreResult};

use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// What a tenant has configured.
#[derive(Debug, Clone, Default)]
pub(super) struct Configured {
    basis: Option<BasisConfig>,
    processes: Table<ProcessConfigId, ProcessConfig>,
    versions: Table<(Subject, i64), ConfigurationVersion>,
}

impl Configured {
    /// Whether no other process has the type and name of this one.
    fn is_unique(&self, process: &ProcessConfig) -> StoreResult<()> {
        let (name, kind) = (&process.content.name, &process.content.process_type);
        let mut others = self.processes.values().filter(|other| other.id != process.id);
        match others.any(|other| (&other.content.name, &other.content.process_type) == (name, kind)) {
            true => Err(StoreError::Conflict(Constraint::ProcessName)),
            false => Ok(()),
        }
    }
}

impl BasisRepository for Transaction<TenantState> {
    fn basis(&mut self) -> StoreResult<Option<BasisConfig>> {
        self.look(|state| Ok(state.configured.basis.clone()))
    }

    fn put_basis(&mut self, basis: &BasisConfig) -> StoreResult<()> {
        self.change(|state| {
            let current = &mut state.configured.basis;
            let is_next = |before: &BasisConfig| before.id == basis.id && before.version == basis.version - 1;
            if !current.as_ref().is_none_or(is_next) {
                return Err(StoreError::Stale);
            }
            *current = Some(basis.clone());
            Ok(())
        })
    }

    fn process(&mut self, id: ProcessConfigId) -> StoreResult<Option<ProcessConfig>> {
        self.look(|state| Ok(state.configured.processes.get(&id).cloned()))
    }

    fn process_named(&mut self, process_type: &Label, name: &Label) -> StoreResult<Option<ProcessConfig>> {
        self.look(|state| {
            let mut processes = state.configured.processes.values();
            let found = processes.find(|process| {
                process.content.process_type == *process_type && process.content.name == *name
            });
            Ok(found.cloned())
        })
    }

    fn insert_process(&mut self, process: &ProcessConfig) -> StoreResult<()> {
        self.change(|state| {
            state.configured.is_unique(process)?;
            state.configured.processes.insert(process.id, process.clone());
            Ok(())
        })
    }

    fn update_process(&mut self, process: &ProcessConfig) -> StoreResult<()> {
        self.change(|state| {
            state.configured.is_unique(process)?;
            let stored = state.configured.processes.get_mut(&process.id);
            let before = stored.filter(|stored| stored.version == process.version - 1);
            *before.ok_or(StoreError::Stale)? = process.clone();
            Ok(())
        })
    }

    fn remove_process(&mut self, id: ProcessConfigId, version: i64) -> StoreResult<()> {
        self.change(|state| {
            let processes = &mut state.configured.processes;
            if processes.get(&id).is_none_or(|stored| stored.version != version) {
                return Err(StoreError::Stale);
            }
            processes.remove(&id);
            Ok(())
        })
    }

    fn processes(
        &mut self,
        process_type: Option<&Label>,
        after: Option<ProcessConfigId>,
        limit: usize,
    ) -> StoreResult<Vec<ProcessConfig>> {
        self.look(|state| {
            let newest_first = state.configured.processes.values().rev();
            let rest = newest_first.filter(|process| {
                after.is_none_or(|after| process.id < after)
                    && process_type.is_none_or(|wanted| process.content.process_type == *wanted)
            });
            Ok(rest.take(limit).cloned().collect())
        })
    }

    fn add_versions(&mut self, versions: &[ConfigurationVersion]) -> StoreResult<()> {
        self.change(|state| {
            for version in versions {
                let key = (version.subject, version.version);
                if state.configured.versions.insert(key, version.clone()).is_some() {
                    return Err(StoreError::Conflict(Constraint::ConfigHistory));
                }
            }
            Ok(())
        })
    }

    fn version(&mut self, subject: Subject, version: i64) -> StoreResult<Option<ConfigurationVersion>> {
        self.look(|state| Ok(state.configured.versions.get(&(subject, version)).cloned()))
    }

    fn versions(
        &mut self,
        subject: Subject,
        before: Option<i64>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>> {
        self.look(|state| {
            let end = before
                .map_or(Bound::Included((subject, i64::MAX)), |before| Bound::Excluded((subject, before)));
            let older = state.configured.versions.range((Bound::Included((subject, i64::MIN)), end)).rev();
            Ok(older.take(limit).map(|(_, version)| version.clone()).collect())
        })
    }

    fn every_version(
        &mut self,
        after: Option<(Subject, i64)>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>> {
        self.look(|state| {
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = state.configured.versions.range((start, Bound::Unbounded));
            Ok(rest.take(limit).map(|(_, version)| version.clone()).collect())
        })
    }
}
