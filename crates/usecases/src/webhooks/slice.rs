use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_domain::webhook::DeliveryStatus;
use tenantry_ports::{ClaimedEndpoint, Delivery, LogEntry, Secret, StoreResult, TenantScope, TenantTx};

use super::{body, secrets};
use crate::Platform;

/// How many entries of the log are looked at together, and how many deliveries are tried again together.
pub(super) const SLICE: usize = 64;
/// How much longer than sending a slice may take it is leased: for recording what became of it.
const MARGIN: TimeDelta = TimeDelta::seconds(10);

/// What is to be sent to one endpoint now.
#[derive(Debug)]
pub struct Slice {
    pub(super) claimed: ClaimedEndpoint,
    pub(super) secrets: Vec<Secret>,
    /// In the order of their events.
    pub(super) calls: Vec<Call>,
    /// The last entry that is dealt with when this is settled.
    pub(super) through: i64,
    pub(super) begun: DateTime<Utc>,
}

/// An event that is to be sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) delivery: Delivery,
    pub(super) is_new: bool,
    pub(super) account: Option<AccountId>,
    pub(super) body: Arc<[u8]>,
}

/// Entries of the log with what is sent of them.
type Told = Arc<Vec<(LogEntry, Arc<[u8]>)>>;

/// At most so many tenants that there may be something to deliver for, as somebody noted.
pub fn due_tenants(platform: &Platform, limit: usize) -> StoreResult<Vec<TenantId>> {
    let now = platform.clock.now();
    platform.control.read(|tx| tx.delivery_marks().due(now, limit))
}

/// When there is something to deliver for this tenant; none if there is nothing.
pub fn next_look(platform: &Platform, scope: &TenantScope) -> StoreResult<Option<DateTime<Utc>>> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.read(|tx| tx.webhooks().next_look(now))
}

/// There was nothing to deliver at `now`, and is nothing before `next`.
pub fn unmark(
    platform: &Platform,
    tenant: TenantId,
    now: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
) -> StoreResult<()> {
    platform.control.write(|tx| tx.delivery_marks().unmark(tenant, now, next))
}

/// Claims every endpoint of the tenant to which there is something to deliver.
pub fn claim(platform: &Platform, scope: &TenantScope) -> StoreResult<Vec<Slice>> {
    let (now, lease) = (platform.clock.now(), platform.ids.random());
    let until = leased_until(platform, now);
    platform.stores.open(scope)?.write(|tx| {
        let claimed = tx.webhooks().claim(lease, now, until)?;
        let mut pages = HashMap::<i64, Told>::new();
        let slice = |claimed: ClaimedEndpoint| {
            let told = match pages.get(&claimed.cursor) {
                Some(told) => Arc::clone(told),
                None => {
                    let told = told(tx, claimed.cursor)?;
                    pages.insert(claimed.cursor, Arc::clone(&told));
                    told
                }
            };
            load(platform, tx, claimed, &told, now)
        };
        claimed.into_iter().map(slice).collect()
    })
}

/// Until when a slice that is begun now is leased: twice the time a call may take, since no call is begun any more when one
/// might have taken its time.
pub(super) fn leased_until(platform: &Platform, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(platform.endpoints.timeout * 2).unwrap_or(TimeDelta::MAX / 2) + MARGIN
}

/// The entries after the cursor.
pub(super) fn told(tx: &mut dyn TenantTx, cursor: i64) -> StoreResult<Told> {
    let page = tx.log().page(cursor, SLICE)?;
    let told = page.into_iter().map(|entry| body::of(&entry).map(|body| (entry, body)));
    Ok(Arc::new(told.collect::<StoreResult<_>>()?))
}

/// What is to be sent of these entries to a claimed endpoint, and what is to be sent again.
pub(super) fn load(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    claimed: ClaimedEndpoint,
    told: &Told,
    now: DateTime<Utc>,
) -> StoreResult<Slice> {
    let id = claimed.endpoint.id;
    let secrets = match secrets::in_force(platform, &claimed.endpoint, now) {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::error!(endpoint = %id, "Cannot sign what is to be sent to a webhook endpoint: {error}");
            Vec::new()
        }
    };
    let mut calls = BTreeMap::new();
    for delivery in tx.webhooks().due(id, now, SLICE)? {
        // An entry that is there is never removed.
        let Some(entry) = tx.log().page(delivery.sequence - 1, 1)?.pop() else { continue };
        let (account, body) = (entry.event.account_id, body::of(&entry)?);
        calls.insert(delivery.sequence, Call { delivery, is_new: false, account, body });
    }
    let through = told.last().map_or(claimed.cursor, |(entry, _)| entry.sequence);
    let before = if claimed.recovering {
        tx.webhooks().of_entries(id, claimed.cursor + 1, through)?
    } else {
        Vec::new()
    };
    for (entry, body) in told.iter().filter(|(entry, _)| claimed.endpoint.wants(&entry.event.event_type)) {
        let known = before.iter().find(|delivery| delivery.sequence == entry.sequence);
        let (delivery, is_new) = match known {
            Some(delivery) if delivery.status == DeliveryStatus::Failed => {
                (Delivery { attempts: 0, ..delivery.clone() }, false)
            }
            // It arrived, or is going to be tried again by itself.
            Some(_) => continue,
            None => (fresh(platform, &claimed, entry, now), true),
        };
        let (account, body) = (entry.event.account_id, Arc::clone(body));
        calls.insert(entry.sequence, Call { delivery, is_new, account, body });
    }
    Ok(Slice { claimed, secrets, calls: calls.into_values().collect(), through, begun: now })
}

fn fresh(platform: &Platform, claimed: &ClaimedEndpoint, entry: &LogEntry, now: DateTime<Utc>) -> Delivery {
    Delivery {
        id: platform.ids.next(),
        endpoint: claimed.endpoint.id,
        sequence: entry.sequence,
        event: entry.event.id,
        event_type: entry.event.event_type.clone(),
        status: DeliveryStatus::Pending,
        due: Some(now),
        attempts: 0,
        last: None,
        created_at: now,
    }
}
