use chrono::{DateTime, Utc};
use tenantry_domain::Verbatim;
use tenantry_domain::basis::{BasisConfig, Label, ProcessConfig, Subject};
use tenantry_domain::id::ProcessConfigId;

use crate::StoreResult;

/// What something said from one change to the next. Versions are never changed, and stay when what they are of is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationVersion {
    /// Of what.
    pub subject: Subject,
    /// Which version, from 1.
    pub version: i64,
    /// What it said from then on; nothing where it was removed.
    pub document: Option<Verbatim>,
    /// Who changed it, as an id or `operator`.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// The tenant's basis and its processes, and every version there was of each. Whoever writes has locked the log.
pub trait BasisRepository {
    /// The basis; none before it was configured.
    fn basis(&mut self) -> StoreResult<Option<BasisConfig>>;

    /// Writes the basis where there is none, in whatever version it is; else in the place of the version before, and `Stale` if
    /// that is not what there is.
    fn put_basis(&mut self, basis: &BasisConfig) -> StoreResult<()>;

    /// The process with this id.
    fn process(&mut self, id: ProcessConfigId) -> StoreResult<Option<ProcessConfig>>;

    /// The process of this type and name.
    fn process_named(&mut self, process_type: &Label, name: &Label) -> StoreResult<Option<ProcessConfig>>;

    /// Adds a process. `Conflict(ProcessName)`.
    fn insert_process(&mut self, process: &ProcessConfig) -> StoreResult<()>;

    /// Replaces the process whose version is one less than this one's, else `Stale`. `Conflict(ProcessName)`.
    fn update_process(&mut self, process: &ProcessConfig) -> StoreResult<()>;

    /// Removes the process, if it has this version, else `Stale`.
    fn remove_process(&mut self, id: ProcessConfigId, version: i64) -> StoreResult<()>;

    /// At most `limit` processes (of this type), newest first (ids are time-ordered), after the process `after`.
    fn processes(
        &mut self,
        process_type: Option<&Label>,
        after: Option<ProcessConfigId>,
        limit: usize,
    ) -> StoreResult<Vec<ProcessConfig>>;

    /// Adds versions. `Conflict(ConfigHistory)` if one of them is there already.
    fn add_versions(&mut self, versions: &[ConfigurationVersion]) -> StoreResult<()>;

    /// One version.
    fn version(&mut self, subject: Subject, version: i64) -> StoreResult<Option<ConfigurationVersion>>;

    /// At most `limit` versions of this, newest first, before the version `before`.
    fn versions(
        &mut self,
        subject: Subject,
        before: Option<i64>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>>;

    /// At most `limit` versions of everything in order of subject and version, after this one of that subject.
    fn every_version(
        &mut self,
        after: Option<(Subject, i64)>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigurationVersion>>;
}
