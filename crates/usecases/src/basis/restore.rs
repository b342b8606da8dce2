use serde::de::DeserializeOwned;
use tenantry_domain::basis::{BasisConfig, Kept, Process, ProcessConfig, Subject};
use tenantry_domain::event::EventType;
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{StoreError, TenantScope, TenantTx};

use super::changes::Changes;
use super::{Author, ConfigError};
use crate::Platform;

/// Has the basis say again what it said in this version, as a change of its own, if `is_meant` says so of the version it has.
pub fn restore_basis(
    platform: &Platform,
    scope: &TenantScope,
    version: i64,
    author: Author,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<BasisConfig, ConfigError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let mut changes = Changes::begin(tx, author, now)?;
        let mut basis = tx.basis().basis()?.ok_or(ConfigError::NoSuchVersion(version))?;
        if !is_meant(&basis.version.to_string()) {
            return Err(ConfigError::Stale { version: basis.version });
        }
        let content = said(tx, basis.id.into(), version)?;
        if let Some(before) = basis.change(content, now) {
            tx.basis().put_basis(&basis)?;
            changes.changed(EventType::CONFIG_BASIS_UPDATED, &basis, Some(&before), Some(version))?;
        }
        changes.write(platform, scope, tx)?;
        Ok(basis)
    })
}

/// The same for a process. One that was removed is there again, under its id.
pub fn restore_process(
    platform: &Platform,
    scope: &TenantScope,
    id: ProcessConfigId,
    version: i64,
    author: Author,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<ProcessConfig, ConfigError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let mut changes = Changes::begin(tx, author, now)?;
        let current = tx.basis().process(id)?;
        let last = match &current {
            Some(process) => process.version,
            None => {
                let last = tx.basis().versions(id.into(), None, 1)?.pop();
                last.ok_or(ConfigError::NoSuchProcess)?.version
            }
        };
        if !is_meant(&last.to_string()) {
            return Err(ConfigError::Stale { version: last });
        }
        let content: Process = said(tx, id.into(), version)?;
        let process = match current {
            None => {
                let first = tx.basis().version(id.into(), 1)?;
                let created_at = first.map_or(now, |first| first.changed_at);
                let process = Kept { version: last + 1, created_at, ..Kept::begin(id, content, now) };
                let inserted = tx.basis().insert_process(&process);
                inserted.map_err(|error| ConfigError::of_process(&process.content, error))?;
                changes.changed(EventType::CONFIG_PROCESS_CREATED, &process, None, Some(version))?;
                process
            }
            Some(mut process) => {
                if let Some(before) = process.change(content, now) {
                    let updated = tx.basis().update_process(&process);
                    updated.map_err(|error| ConfigError::of_process(&process.content, error))?;
                    let event = EventType::CONFIG_PROCESS_UPDATED;
                    changes.changed(event, &process, Some(&before), Some(version))?;
                }
                process
            }
        };
        changes.write(platform, scope, tx)?;
        Ok(process)
    })
}

/// What this said in that version.
fn said<T: DeserializeOwned>(
    tx: &mut dyn TenantTx,
    subject: Subject,
    version: i64,
) -> Result<T, ConfigError> {
    let record = tx.basis().version(subject, version)?;
    let document = record.and_then(|record| record.document).ok_or(ConfigError::NoSuchVersion(version))?;
    let content = serde_json::from_str(document.as_str());
    Ok(content.map_err(|error| StoreError::corrupt("config version", error))?)
}
