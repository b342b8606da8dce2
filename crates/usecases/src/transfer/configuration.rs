//! Basis and processes in an archive: every version of each, from which follows what they say now.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenantry_domain::basis::{Basis, BasisConfig, Kept, Label, Process, ProcessConfig, Subject};
use tenantry_domain::{Pointer, Verbatim};
use tenantry_ports::{ConfigurationVersion, StoreError, StoreResult, TenantTx};

use super::archive::{Kind, Writer};
use super::export::{ExportError, PAGE};
use super::record::exact;

/// A version of the basis or of a process.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConfigurationRecord {
    subject: Subject,
    version: i64,
    document: Option<Verbatim>,
    changed_by: String,
    #[serde(with = "exact")]
    changed_at: DateTime<Utc>,
}

impl From<ConfigurationVersion> for ConfigurationRecord {
    fn from(record: ConfigurationVersion) -> Self {
        let ConfigurationVersion { subject, version, document, changed_by, changed_at } = record;
        Self { subject, version, document, changed_by, changed_at }
    }
}

impl From<ConfigurationRecord> for ConfigurationVersion {
    fn from(record: ConfigurationRecord) -> Self {
        let ConfigurationRecord { subject, version, document, changed_by, changed_at } = record;
        Self { subject, version, document, changed_by, changed_at }
    }
}

/// Writes all of them, in order of subject and version.
pub(super) fn export(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let page = tx.basis().every_version(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.subject, last.version));
        for record in page {
            archive.record(Kind::Configuration, &ConfigurationRecord::from(record))?;
        }
    }
}

/// What something says now.
pub(super) enum Current {
    Basis(BasisConfig),
    Process(ProcessConfig),
}

impl Current {
    pub(super) fn put(&self, tx: &mut dyn TenantTx) -> StoreResult<()> {
        match self {
            Self::Basis(basis) => tx.basis().put_basis(basis),
            Self::Process(process) => tx.basis().insert_process(process),
        }
    }
}

/// Versions one after the other, in order.
#[derive(Default)]
pub(super) struct Configurations {
    /// When the first version of what is under way was made, and its last one so far.
    under_way: Option<(DateTime<Utc>, ConfigurationVersion)>,
}

impl Configurations {
    /// Takes the next version, and answers what that before it says now, if this one is of something else.
    pub(super) fn next(&mut self, record: ConfigurationVersion) -> StoreResult<Option<Current>> {
        let same = self.under_way.take_if(|(_, last)| last.subject == record.subject);
        let before = self.end();
        let first = same.map_or(record.changed_at, |(first, _)| first);
        self.under_way = Some((first, record));
        before
    }

    /// What the last of them says now; nothing if it was removed.
    pub(super) fn end(&mut self) -> StoreResult<Option<Current>> {
        let Some((created_at, last)) = self.under_way.take() else { return Ok(None) };
        let Some(document) = &last.document else { return Ok(None) };
        let (version, updated_at) = (last.version, last.changed_at);
        Ok(Some(match last.subject {
            Subject::Basis(id) => {
                Current::Basis(Kept { id, content: read(document)?, version, created_at, updated_at })
            }
            Subject::Process(id) => {
                Current::Process(Kept { id, content: read(document)?, version, created_at, updated_at })
            }
        }))
    }
}

fn read<T: DeserializeOwned>(document: &Verbatim) -> StoreResult<T> {
    let content = serde_json::from_str(document.as_str());
    content.map_err(|error| StoreError::corrupt("configuration", error))
}

/// Checks the versions of an archive.
#[derive(Default)]
pub(super) struct Inspector {
    last: Option<(Subject, i64)>,
    bases: usize,
    configurations: Configurations,
    names: HashSet<(Label, Label)>,
}

impl Inspector {
    /// Everything that is wrong with the next version.
    pub(super) fn check(&mut self, record: &ConfigurationVersion) -> Vec<String> {
        let ConfigurationVersion { subject, version, document, .. } = record;
        let about = |what: &str| format!("configuration {subject}, version {version}, {what}");
        let mut flaws = Vec::new();
        let is_next = match self.last {
            Some((before, last)) if before == *subject => *version == last + 1,
            before => before.is_none_or(|(before, _)| before < *subject) && *version == 1,
        };
        if !is_next {
            flaws.push(about("does not follow what comes before"));
        }
        self.last = Some((*subject, *version));
        match (subject, document) {
            (Subject::Process(_), None) if *version > 1 => {}
            (_, None) => flaws.push(about("says nothing")),
            (_, Some(document)) => {
                flaws.extend(
                    faults(*subject, document).map(|what| about(&format!("is not acceptable: {what}"))),
                );
            }
        }
        // What cannot be read was told of just now.
        if let Ok(current) = self.configurations.next(record.clone()) {
            flaws.extend(self.count(current));
        }
        flaws
    }

    /// What is wrong in the end.
    pub(super) fn finish(&mut self) -> Option<String> {
        let last = self.configurations.end().ok().flatten();
        self.count(last)
    }

    fn count(&mut self, current: Option<Current>) -> Option<String> {
        match current? {
            Current::Basis(basis) => {
                self.bases += 1;
                (self.bases > 1).then(|| format!("configuration {} is a second basis", basis.id))
            }
            Current::Process(process) => {
                let Process { name, process_type, .. } = process.content;
                let is_new = self.names.insert((process_type, name));
                (!is_new)
                    .then(|| format!("configuration {} has a type and name that another one has", process.id))
            }
        }
    }
}

fn faults(subject: Subject, document: &Verbatim) -> Option<String> {
    let checked = match subject {
        Subject::Basis(_) => read::<Basis>(document)
            .map(|basis| Basis::check_variants(&basis.business_variants, &Pointer::root())),
        Subject::Process(_) => read::<Process>(document).map(|process| process.check(&Pointer::root())),
    };
    match checked {
        Ok(findings) => findings.first().map(|finding| finding.message.clone()),
        Err(error) => Some(error.to_string()),
    }
}
