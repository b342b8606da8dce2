use tenantry_domain::basis::{Basis, BasisConfig, BusinessVariant, Kept, Process, ProcessConfig};
use tenantry_domain::event::EventType;
use tenantry_domain::id::{Id, IdKind};
use tenantry_domain::{Finding, Pointer, Verbatim};
use tenantry_ports::{TenantScope, TenantTx};

use super::changes::Changes;
use super::{Author, ConfigError};
use crate::Platform;

/// What the basis is to say; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct BasisWish {
    /// How the tenant is organised.
    pub org_structure: Option<Verbatim>,
    /// The variants of its business.
    pub business_variants: Option<Vec<BusinessVariant>>,
}

/// What is to be configured: the basis, a process, or both.
#[derive(Debug, Clone)]
pub struct Upsert {
    /// The basis.
    pub basis: Option<BasisWish>,
    /// The process; it takes the place of the one with its type and name.
    pub process: Option<Process>,
    /// Who wants it.
    pub author: Author,
}

/// What is configured by now, of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upserted {
    /// The basis.
    pub basis: Option<BasisConfig>,
    /// The process.
    pub process: Option<ProcessConfig>,
}

/// Configures the basis and a process, both or neither, if `is_meant` says so of the version of the basis (0 where there is
/// none). What says the same as before is no change: it keeps its version and times, and leaves no trace.
pub fn upsert(
    platform: &Platform,
    scope: &TenantScope,
    wish: Upsert,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<Upserted, ConfigError> {
    let findings = faults(&wish);
    if !findings.is_empty() {
        return Err(ConfigError::Invalid(findings));
    }
    let Upsert { basis, process, author } = wish;
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let mut changes = Changes::begin(tx, author, now)?;
        let current = tx.basis().basis()?;
        let version = current.as_ref().map_or(0, |current| current.version);
        if !is_meant(&version.to_string()) {
            return Err(ConfigError::Stale { version });
        }
        let basis = basis.map(|wish| put_basis(platform, tx, &mut changes, current, wish)).transpose()?;
        let process = process.map(|wish| put_process(platform, tx, &mut changes, wish)).transpose()?;
        changes.write(platform, scope, tx)?;
        Ok(Upserted { basis, process })
    })
}

fn faults(wish: &Upsert) -> Vec<Finding> {
    let root = Pointer::root();
    if wish.basis.is_none() && wish.process.is_none() {
        let message = "At least one of tenantConfig and processConfig is required";
        return ["tenantConfig", "processConfig"]
            .map(|member| Finding::new(root.member(member), "one_of_required", message))
            .into();
    }
    let mut findings = Vec::new();
    if let Some(variants) = wish.basis.as_ref().and_then(|basis| basis.business_variants.as_ref()) {
        let at = root.member("tenantConfig").member("businessVariants");
        findings.extend(Basis::check_variants(variants, &at));
    }
    if let Some(process) = &wish.process {
        findings.extend(process.check(&root.member("processConfig")));
    }
    findings
}

fn put_basis(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    changes: &mut Changes,
    current: Option<BasisConfig>,
    wish: BasisWish,
) -> Result<BasisConfig, ConfigError> {
    let said = current.as_ref().map_or_else(Basis::empty, |current| current.content.clone());
    let content = Basis {
        org_structure: wish.org_structure.unwrap_or(said.org_structure),
        business_variants: wish.business_variants.unwrap_or(said.business_variants),
    };
    let (basis, before) = match current {
        None => (Kept::begin(new_id(platform), content, changes.now()), None),
        Some(mut basis) => match basis.change(content, changes.now()) {
            None => return Ok(basis),
            before => (basis, before),
        },
    };
    tx.basis().put_basis(&basis)?;
    changes.changed(EventType::CONFIG_BASIS_UPDATED, &basis, before.as_ref(), None)?;
    Ok(basis)
}

fn put_process(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    changes: &mut Changes,
    content: Process,
) -> Result<ProcessConfig, ConfigError> {
    let Some(mut process) = tx.basis().process_named(&content.process_type, &content.name)? else {
        let process = Kept::begin(new_id(platform), content, changes.now());
        tx.basis().insert_process(&process)?;
        changes.changed(EventType::CONFIG_PROCESS_CREATED, &process, None, None)?;
        return Ok(process);
    };
    if let Some(before) = process.change(content, changes.now()) {
        tx.basis().update_process(&process)?;
        changes.changed(EventType::CONFIG_PROCESS_UPDATED, &process, Some(&before), None)?;
    }
    Ok(process)
}

fn new_id<K: IdKind>(platform: &Platform) -> Id<K> {
    platform.ids.next()
}
