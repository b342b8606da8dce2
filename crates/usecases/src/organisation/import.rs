use std::collections::BTreeMap;

use tenantry_domain::organisation::{OrgKind, OrgPlan, OrgTree, Tally, UnitDraft};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{StoreError, TenantScope, TenantTx};

use crate::{Platform, journal};

/// How many units a document may have.
pub const MOST_UNITS: usize = 10_000;

/// A document about an organisation, and who wants it.
#[derive(Debug, Clone)]
pub struct Import {
    /// What it says.
    pub drafts: Vec<UnitDraft>,
    /// Only to be told what would become of it.
    pub dry_run: bool,
    /// Who wants it.
    pub actor: String,
    /// The request it came with, for the events.
    pub trace: String,
}

/// Why nothing of a document was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is wrong, in all these ways.
    #[error("the document has faults")]
    Invalid(Vec<Finding>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes of the organisation what a document says, all of it or nothing: units that are not there are created, those with the
/// same code are changed to what it says, and those it does not mention stay. Answers how many of each kind; every change is an
/// event, and that there was an import is the last one. Where nothing is different, nothing changes.
pub fn import(
    platform: &Platform,
    scope: &TenantScope,
    wish: Import,
) -> Result<BTreeMap<OrgKind, Tally>, ImportError> {
    if wish.drafts.len() > MOST_UNITS {
        let message =
            format!("A document may have at most {MOST_UNITS} units, this has {}", wish.drafts.len());
        return Err(ImportError::Invalid(vec![Finding::new(Pointer::root(), "too_many_units", message)]));
    }
    let now = platform.clock.now();
    let plan = |tx: &mut dyn TenantTx| {
        let tree = OrgTree::new(tx.organisation().all()?);
        let uuid = || platform.ids.time_ordered();
        OrgPlan::of(&tree, &wish.drafts, uuid, now).map_err(ImportError::Invalid)
    };
    let store = platform.stores.open(scope)?;
    if wish.dry_run {
        return Ok(store.read(plan)?.tallies);
    }
    store.write(|tx| {
        let head = tx.log().lock()?;
        let plan = plan(tx)?;
        if plan.created.is_empty() && plan.updated.is_empty() {
            return Ok(plan.tallies);
        }
        tx.organisation().insert(&plan.created)?;
        let after: Vec<_> = plan.updated.iter().map(|(_, after)| after.clone()).collect();
        tx.organisation().update(&after)?;
        let events = journal::organisation::imported(&plan, &wish.actor, &wish.trace);
        journal::append(platform, scope, tx, head, events, now)?;
        Ok(plan.tallies)
    })
}
