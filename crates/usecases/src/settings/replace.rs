use std::collections::BTreeSet;

use tenantry_domain::config::{AllowedConfigs, ConfigId};
use tenantry_domain::tenant::{QuotaKind, Settings};
use tenantry_ports::{Counts, StoreError, TenantScope, TenantTx};

use super::{Current, Wanted};
use crate::access::Principal;
use crate::journal::Traced;
use crate::limits::Level;
use crate::{Platform, journal, limits};

/// Other settings, and who wants them.
#[derive(Debug)]
pub struct Replacement<'a> {
    /// What is to be set.
    pub settings: Wanted,
    /// Who wants it.
    pub caller: &'a Principal,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Why the settings stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// They are not those that the caller means.
    #[error("the settings have changed since")]
    Stale {
        /// What tells them from others by now.
        tag: String,
    },
    /// Configs are to be allowed that the tenant does not have.
    #[error("there are no such account configs")]
    UnknownConfigs(Vec<ConfigId>),
    /// Only the operator may grant more of these.
    #[error("only the operator raises quotas")]
    Raised(Vec<QuotaKind>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Replaces the settings, if `is_meant` says so of the [`tag`](Current::tag) they have, and notes in the tenant's log who
/// changed what. Where nothing is different, nothing changes. A tenant may lower its quotas, and not raise what it may have.
pub fn replace(
    platform: &Platform,
    scope: &TenantScope,
    wish: Replacement<'_>,
    is_meant: impl FnOnce(&str) -> bool,
) -> Result<Current, ReplaceError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let (head, counts) = tx.log().lock_and_count()?;
        let before = tx.settings().get()?.unwrap_or_default();
        let current = Current::of(platform, &before)?;
        if !is_meant(&current.tag) {
            return Err(ReplaceError::Stale { tag: current.tag });
        }
        if current.settings == wish.settings {
            return Ok(current);
        }
        if !matches!(wish.caller, Principal::Operator { .. }) {
            keep_below(platform, scope, &current.settings, &wish.settings)?;
        }
        check_configs(tx, &wish.settings.allowed_configs)?;
        let Wanted { allowed_configs, versioning_strategy, quotas } = wish.settings;
        let after = Settings { allowed_configs, versioning_strategy, quotas, ..before };
        tx.settings().put(&after)?;
        let now_current = Current::of(platform, &after)?;
        let passed =
            marks_passed(platform, scope, &current.settings, &now_current.settings, counts, &wish.trace);
        let updated = journal::settings_updated(
            &current.settings,
            &now_current.settings,
            &wish.caller.actor(),
            wish.trace,
        );
        let events = [updated].into_iter().chain(passed).collect();
        journal::append(platform, scope, tx, head, events, now)?;
        Ok(now_current)
    })
}

/// A quota that is lowered may be used up by that.
fn marks_passed(
    platform: &Platform,
    scope: &TenantScope,
    before: &Wanted,
    after: &Wanted,
    counts: Counts,
    trace: &str,
) -> Vec<Traced> {
    let before = limits::allowance(platform, scope, &before.quotas);
    let after = limits::allowance(platform, scope, &after.quotas);
    let counted = [
        (QuotaKind::Accounts, counts.accounts),
        (QuotaKind::Users, counts.users),
        (QuotaKind::Configs, counts.configs),
    ];
    let level = |allowance, used| Level { allowance, used };
    let passed = |(kind, used)| limits::passed(kind, level(&before, used), level(&after, used), trace);
    counted.into_iter().filter_map(passed).collect()
}

fn keep_below(
    platform: &Platform,
    scope: &TenantScope,
    before: &Wanted,
    after: &Wanted,
) -> Result<(), ReplaceError> {
    let agreed = limits::allowance(platform, scope, &before.quotas);
    let wanted = limits::allowance(platform, scope, &after.quotas);
    let raised = |kind: &QuotaKind| wanted.of(*kind) > agreed.of(*kind);
    let raised: Vec<_> = QuotaKind::ALL.into_iter().filter(raised).collect();
    if raised.is_empty() { Ok(()) } else { Err(ReplaceError::Raised(raised)) }
}

/// Only what exists can be allowed: configs never go, and one that is misspelt would make nothing possible.
fn check_configs(tx: &mut dyn TenantTx, allowed: &AllowedConfigs) -> Result<(), ReplaceError> {
    let AllowedConfigs::Only(ids) = allowed else { return Ok(()) };
    let wanted: Vec<_> = ids.iter().cloned().collect();
    let existing: BTreeSet<_> = tx.configs().heads(&wanted)?.into_iter().map(|head| head.id).collect();
    let unknown: Vec<_> = wanted.into_iter().filter(|id| !existing.contains(id)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(ReplaceError::UnknownConfigs(unknown)) }
}
