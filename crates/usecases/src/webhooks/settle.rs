use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::{
    ClaimedEndpoint, SettledSlice, StoreError, StoreResult, TenantScope, TenantTx, WebhookEndpoint,
};

use super::Hand;
use super::outcome::{Verdict, judge};
use super::send::Outcome;
use super::slice::{Slice, leased_until, load, told};
use crate::journal::webhooks as events;
use crate::{Platform, journal};

/// Records what became of a slice, in one commit, and goes on with the next one of the same endpoint, if there is one. None if
/// there is nothing more for now, somebody else took over (then what was sent is sent again, by them), or `goes_on` is false.
pub fn settle(
    platform: &Platform,
    scope: &TenantScope,
    slice: &Slice,
    outcomes: &[Outcome],
    goes_on: bool,
) -> StoreResult<Option<Slice>> {
    let now = platform.clock.now();
    let Verdict { new, changed, failing_since, rests_until, disable } = judge(platform, slice, outcomes, now);
    let ClaimedEndpoint { endpoint, lease, .. } = &slice.claimed;
    let settled = platform.stores.open(scope)?.write(|tx| {
        // Whoever appends to the log stands in line first of all, or could wait for somebody who waits for this.
        let head = disable.map(|reason| Ok::<_, StoreError>((tx.log().lock()?, reason))).transpose()?;
        let more = if goes_on && disable.is_none() && rests_until.is_none() {
            Some(told(tx, slice.through)?)
        } else {
            None
        };
        let more = more.filter(|more| !more.is_empty());
        let keep_until = more.is_some().then(|| leased_until(platform, now));
        tx.webhooks().settle(&SettledSlice {
            endpoint: endpoint.id,
            lease: *lease,
            new,
            changed,
            cursor: slice.through,
            failing_since,
            rests_until,
            keep_until,
        })?;
        if let Some((head, reason)) = head {
            let after = disabled(tx, endpoint, reason, now)?;
            let hand = Hand { actor: "tenantry".to_owned(), trace: "delivery".to_owned() };
            let told = vec![events::disabled(&after, reason, failing_since, &hand)];
            journal::append(platform, scope, tx, head, told, now)?;
        }
        let Some(more) = more else { return Ok(None) };
        let Some(claimed) = tx.webhooks().claimed(endpoint.id, *lease)? else { return Ok(None) };
        load(platform, tx, claimed, &more, now).map(Some)
    });
    match settled {
        Err(StoreError::Stale) => {
            tracing::warn!(endpoint = %endpoint.id, "Somebody else took over, changed or removed a webhook endpoint");
            Ok(None)
        }
        other => {
            if other.is_ok() {
                tracing::debug!(endpoint = %endpoint.id, calls = outcomes.len(), "Calls are settled");
            }
            other
        }
    }
}

fn disabled(
    tx: &mut dyn TenantTx,
    endpoint: &WebhookEndpoint,
    reason: DisabledReason,
    now: chrono::DateTime<chrono::Utc>,
) -> StoreResult<WebhookEndpoint> {
    let before = tx.webhooks().get(endpoint.id)?.ok_or(StoreError::Stale)?;
    let version = before.version + 1;
    let after = WebhookEndpoint { disabled: Some((reason, now)), version, updated_at: now, ..before };
    tx.webhooks().update(&after)?;
    Ok(after)
}
