use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_domain::webhook::{DeliveryStatus, HOLDS_UP};
use tenantry_ports::{
    ClaimedEndpoint, Delivery, LogEntry, Outlook, Secret, StoreResult, TenantScope, TenantTx,
};

use super::{body, secrets};
use crate::Platform;

/// How many entries of the log are looked at together, and how many deliveries are tried again together.
pub(super) const SLICE: usize = 64;
/// How soon a tenant that was looked at is looked at again, while whoever writes to its database relies on that.
const AGAIN: TimeDelta = TimeDelta::milliseconds(450);
/// For so long calls of a slice are begun: what is left then comes with the next one.
pub(super) const ROUND: TimeDelta = TimeDelta::seconds(3);
/// How much longer than sending a slice may take it is leased: for recording what became of it.
const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// What is to be sent to one endpoint now.
#[derive(Debug)]
pub struct Slice {
    pub(super) claimed: ClaimedEndpoint,
    pub(super) secrets: Vec<Secret>,
    /// In the order of their events.
    pub(super) calls: Vec<Call>,
    /// Whose events are not in the log any more: it keeps them for so long only.
    pub(super) lost: Vec<Delivery>,
    /// The last entry that is dealt with when this is settled.
    pub(super) through: i64,
    pub(super) begun: DateTime<Utc>,
}

/// An event that is to be sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) delivery: Delivery,
    pub(super) is_new: bool,
    /// It is not made yet: something before it about the same account is tried again at this time.
    pub(super) waits: Option<DateTime<Utc>>,
    pub(super) account: Option<AccountId>,
    pub(super) body: Arc<[u8]>,
}

/// Entries of the log with what is sent of them.
type Told = Arc<Vec<(LogEntry, Arc<[u8]>)>>;

/// At most so many tenants that there may be something to deliver for, as somebody noted. For a while it is up to the caller to
/// look at them, and as long as they are marked, to do so again and again.
pub fn due_tenants(platform: &Platform, limit: usize) -> StoreResult<Vec<(TenantId, DateTime<Utc>)>> {
    let now = platform.clock.now();
    let due = platform.control.read(|tx| tx.delivery_marks().due(now, limit))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    platform.control.write(|tx| tx.delivery_marks().take(&due, now, now + AGAIN))
}

/// What there is to deliver for this tenant, at `now` or later.
pub fn outlook(platform: &Platform, scope: &TenantScope, now: DateTime<Utc>) -> StoreResult<Outlook> {
    platform.stores.open(scope)?.read(|tx| tx.webhooks().outlook(now))
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

/// Until when a slice that is begun now is leased, and with it for how long nobody goes on with what a dead process was at.
pub(super) fn leased_until(platform: &Platform, now: DateTime<Utc>) -> DateTime<Utc> {
    let timeout = TimeDelta::from_std(platform.endpoints.timeout).unwrap_or(TimeDelta::MAX / 2);
    now + ROUND + timeout + MARGIN
}

/// The entries after the cursor.
pub(super) fn told(tx: &mut dyn TenantTx, cursor: i64) -> StoreResult<Told> {
    let page = tx.log().page(cursor, SLICE)?;
    let told = page.into_iter().map(LogEntry::placed);
    let told = told.map(|entry| body::of(&entry.event).map(|body| (entry, body)));
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
    let (mut calls, mut lost) = (BTreeMap::new(), Vec::new());
    let due = match claimed.retry_at {
        Some(at) if at <= now => tx.webhooks().due(id, now, SLICE)?,
        _ => Vec::new(),
    };
    for delivery in due {
        let entry = tx.log().page(delivery.sequence - 1, 1)?.pop();
        let Some(entry) = entry.filter(|entry| entry.sequence == delivery.sequence) else {
            lost.push(delivery);
            continue;
        };
        let event = entry.told();
        let (account, body) = (event.account_id, body::of(&event)?);
        calls.insert(delivery.sequence, Call { delivery, is_new: false, waits: None, account, body });
    }
    // What is tried again makes a slice no larger, but does not keep all that is new away either.
    let told = &told[..told.len().min((SLICE - calls.len()).max(SLICE / 4))];
    let through = told.last().map_or(claimed.cursor, |(entry, _)| entry.sequence);
    let before = if claimed.recovering {
        tx.webhooks().of_entries(id, claimed.cursor + 1, through)?
    } else {
        Vec::new()
    };
    let wanted = || told.iter().filter(|(entry, _)| claimed.endpoint.wants(&entry.event.event_type));
    let held = held_up(tx, &claimed, &calls, wanted().filter_map(|(entry, _)| entry.event.account_id), now)?;
    for (entry, body) in wanted() {
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
        let waits = account.and_then(|account| held.get(&account).copied());
        calls.insert(entry.sequence, Call { delivery, is_new, waits, account, body });
    }
    Ok(Slice { claimed, secrets, calls: calls.into_values().collect(), lost, through, begun: now })
}

/// Which of these accounts have something that has to arrive first, and when that is tried again. What is tried in the same
/// slice holds nothing up: there they go in order.
fn held_up(
    tx: &mut dyn TenantTx,
    claimed: &ClaimedEndpoint,
    tried: &BTreeMap<i64, Call>,
    accounts: impl Iterator<Item = AccountId>,
    now: DateTime<Utc>,
) -> StoreResult<HashMap<AccountId, DateTime<Utc>>> {
    let accounts: BTreeSet<_> = if claimed.retry_at.is_some() { accounts.collect() } else { BTreeSet::new() };
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let accounts: Vec<_> = accounts.into_iter().collect();
    let mut held = tx.webhooks().pending_about(claimed.endpoint.id, &accounts, HOLDS_UP)?;
    held.retain(|(account, due)| *due > now || !tried.values().any(|call| call.account == Some(*account)));
    Ok(held.into_iter().collect())
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
