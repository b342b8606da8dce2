use tenantry_domain::Verbatim;
use tenantry_domain::basis::Subject;
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{ConfigurationVersion, StoreResult, TenantScope, TenantTx};

use crate::Platform;

/// A change: what something said from then on, and what it said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version that the change made.
    pub record: ConfigurationVersion,
    /// What was said before; nothing before it was first configured, and while it was removed.
    pub before: Option<Verbatim>,
}

/// At most `limit` changes of the basis, newest first, before the version `before`.
pub fn of_basis(
    platform: &Platform,
    scope: &TenantScope,
    before: Option<i64>,
    limit: usize,
) -> StoreResult<Vec<Entry>> {
    platform.stores.open(scope)?.read(|tx| match tx.basis().basis()? {
        None => Ok(Vec::new()),
        Some(basis) => page(tx, basis.id.into(), before, limit),
    })
}

/// The same of a process, also of one that was removed; none if there never was one of this id.
pub fn of_process(
    platform: &Platform,
    scope: &TenantScope,
    id: ProcessConfigId,
    before: Option<i64>,
    limit: usize,
) -> StoreResult<Option<Vec<Entry>>> {
    let entries = platform.stores.open(scope)?.read(|tx| page(tx, id.into(), before, limit))?;
    Ok((before.is_some() || !entries.is_empty()).then_some(entries))
}

/// What the oldest of them changed is in the version before it, which is asked for, too.
fn page(
    tx: &mut dyn TenantTx,
    subject: Subject,
    before: Option<i64>,
    limit: usize,
) -> StoreResult<Vec<Entry>> {
    let mut versions = tx.basis().versions(subject, before, limit + 1)?.into_iter().peekable();
    let mut entries = Vec::new();
    while let Some(record) = versions.next().filter(|_| entries.len() < limit) {
        let before = versions.peek().and_then(|older| older.document.clone());
        entries.push(Entry { record, before });
    }
    Ok(entries)
}
