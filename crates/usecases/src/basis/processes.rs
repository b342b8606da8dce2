use tenantry_domain::Pointer;
use tenantry_domain::basis::{Process, ProcessConfig};
use tenantry_domain::event::EventType;
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{TenantScope, TenantTx};

use super::changes::Changes;
use super::{Author, ConfigError};
use crate::Platform;

/// Has a process say something else, if `is_meant` says so of its version. What says the same as before is no change.
pub fn replace(
    platform: &Platform,
    scope: &TenantScope,
    id: ProcessConfigId,
    content: Process,
    author: Author,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<ProcessConfig, ConfigError> {
    let findings = content.check(&Pointer::root());
    if !findings.is_empty() {
        return Err(ConfigError::Invalid(findings));
    }
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let mut changes = Changes::begin(tx, author, now)?;
        let mut process = meant(tx, id, is_meant)?;
        if let Some(before) = process.change(content, now) {
            let updated = tx.basis().update_process(&process);
            updated.map_err(|error| ConfigError::of_process(&process.content, error))?;
            changes.changed(EventType::CONFIG_PROCESS_UPDATED, &process, Some(&before), None)?;
        }
        changes.write(platform, scope, tx)?;
        Ok(process)
    })
}

/// Removes a process, if `is_meant` says so of its version. What it said stays readable, and can be restored.
pub fn remove(
    platform: &Platform,
    scope: &TenantScope,
    id: ProcessConfigId,
    author: Author,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<(), ConfigError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let mut changes = Changes::begin(tx, author, now)?;
        let process = meant(tx, id, is_meant)?;
        tx.basis().remove_process(id, process.version)?;
        changes.removed(EventType::CONFIG_PROCESS_DELETED, &process)?;
        Ok(changes.write(platform, scope, tx)?)
    })
}

fn meant(
    tx: &mut dyn TenantTx,
    id: ProcessConfigId,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<ProcessConfig, ConfigError> {
    let process = tx.basis().process(id)?.ok_or(ConfigError::NoSuchProcess)?;
    let version = process.version;
    if is_meant(&version.to_string()) { Ok(process) } else { Err(ConfigError::Stale { version }) }
}
