//! Webhook endpoints of a tenant, and what is delivered to them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::event::{EventType, EventTypePattern};
use tenantry_domain::id::{AccountId, DeliveryId, EventId, TenantId, WebhookId};
use tenantry_domain::webhook::{DeliveryStatus, DisabledReason};
use uuid::Uuid;

use crate::{EndpointUrl, StoreResult};

/// The secrets that calls of an endpoint are signed with, sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecrets {
    /// The one in force.
    pub current: Vec<u8>,
    /// The one before it, and until when calls are signed with it, too.
    pub previous: Option<(Vec<u8>, DateTime<Utc>)>,
}

impl fmt::Debug for SealedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecrets(…)")
    }
}

/// Where a tenant wants to be told of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookId,
    /// Where to.
    pub url: EndpointUrl,
    /// What it is for.
    pub description: Option<String>,
    /// Of which events; of all, if there is none.
    pub event_types: Vec<EventTypePattern>,
    /// What calls are signed with.
    pub secrets: SealedSecrets,
    /// Why and since when nothing is delivered; it is enabled if there is none.
    pub disabled: Option<(DisabledReason, DateTime<Utc>)>,
    /// Since when every call failed; none if the last one did not.
    pub failing_since: Option<DateTime<Utc>>,
    /// Counts its changes, from 1. What is delivered is none.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

impl WebhookEndpoint {
    /// Whether it is told of events of this type.
    pub fn wants(&self, event_type: &EventType) -> bool {
        self.event_types.is_empty() || self.event_types.iter().any(|pattern| pattern.matches(event_type))
    }
}

/// The last attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAttempt {
    /// When it was made, in whole milliseconds.
    #[serde(with = "tenantry_domain::timestamp")]
    pub at: DateTime<Utc>,
    /// What the endpoint answered; none if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The beginning of the body of its answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// Why there was no answer: a name for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long it took, in milliseconds.
    pub took: u64,
}

/// An event on its way to an endpoint. There is none for what is not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// To which endpoint.
    pub endpoint: WebhookId,
    /// Where the event is in the log. An endpoint has one delivery of an event at most.
    pub sequence: i64,
    /// The event.
    pub event: EventId,
    /// Its type.
    pub event_type: EventType,
    /// What became of it.
    pub status: DeliveryStatus,
    /// When it is tried (again), while it is pending.
    pub due: Option<DateTime<Utc>>,
    /// How many attempts were made in the present round: sending it again by hand begins a new one.
    pub attempts: u32,
    /// The last of them.
    pub last: Option<DeliveryAttempt>,
    /// When it was first looked at.
    pub created_at: DateTime<Utc>,
}

/// An endpoint that somebody delivers to: nobody else does until the lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedEndpoint {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// The right to say what became of it.
    pub lease: Uuid,
    /// The last entry of the log that was looked at.
    pub cursor: i64,
    /// Whether the deliveries after the cursor may have been made before.
    pub recovering: bool,
    /// When the first of its pending deliveries is due; none if there is none.
    pub retry_at: Option<DateTime<Utc>>,
}

/// What there is to deliver for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Whether anything is delivered to anybody.
    pub has_endpoints: bool,
    /// When somebody has to look at some endpoint next; none if there is nothing to deliver to any.
    pub due: Option<DateTime<Utc>>,
}

/// What became of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledSlice {
    /// To which endpoint.
    pub endpoint: WebhookId,
    /// As claimed.
    pub lease: Uuid,
    /// Deliveries there were none of before.
    pub new: Vec<Delivery>,
    /// Deliveries as they are now.
    pub changed: Vec<Delivery>,
    /// The last entry of the log that was looked at.
    pub cursor: i64,
    /// Since when every call failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when it is left alone.
    pub rests_until: Option<DateTime<Utc>>,
    /// For how long the lease goes on, for the next slice; it is given back if there is none.
    pub keep_until: Option<DateTime<Utc>>,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// To which endpoint.
    pub endpoint: WebhookId,
    /// Only those that this became of.
    pub status: Option<DeliveryStatus>,
}

/// Webhook endpoints. Whoever adds, changes or removes one has locked the log.
pub trait WebhookRepository {
    /// Adds an endpoint, which is told of what the log holds after `cursor`.
    fn insert(&mut self, endpoint: &WebhookEndpoint, cursor: i64) -> StoreResult<()>;

    /// The endpoint with this id.
    fn get(&mut self, id: WebhookId) -> StoreResult<Option<WebhookEndpoint>>;

    /// At most `limit` endpoints, oldest first, after this one.
    fn page(&mut self, after: Option<WebhookId>, limit: usize) -> StoreResult<Vec<WebhookEndpoint>>;

    /// How many there are.
    fn count(&mut self) -> StoreResult<u64>;

    /// Replaces the endpoint whose version is one less than this one's, else `Stale`; what is delivered to it meanwhile does
    /// not matter.
    fn update(&mut self, endpoint: &WebhookEndpoint) -> StoreResult<()>;

    /// Goes on after entry `cursor` of the log, as if what is before had been looked at. Whoever is delivering cannot say what
    /// came of it.
    fn move_to(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()>;

    /// Goes back to entry `cursor` of the log, if it has come further than that: what was delivered since is not delivered
    /// again, and whoever is delivering cannot say what came of it.
    fn go_back(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()>;

    /// Removes an endpoint with all its deliveries; `Stale` if there is none.
    fn remove(&mut self, id: WebhookId) -> StoreResult<()>;

    /// What there is to deliver, now or later.
    fn outlook(&mut self, now: DateTime<Utc>) -> StoreResult<Outlook>;

    /// Claims, until `until`, every enabled endpoint to which there is something to deliver at `now`, which does not rest and
    /// to which nobody else delivers.
    fn claim(
        &mut self,
        lease: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<ClaimedEndpoint>>;

    /// The endpoint as it stands by now, if it is still claimed with this lease.
    fn claimed(&mut self, id: WebhookId, lease: Uuid) -> StoreResult<Option<ClaimedEndpoint>>;

    /// When deliveries to this endpoint are due that are pending after at most `attempts` attempts and about one of these
    /// accounts: the first one of each account.
    fn pending_about(
        &mut self,
        endpoint: WebhookId,
        accounts: &[AccountId],
        attempts: u32,
    ) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>>;

    /// At most `limit` deliveries to this endpoint that are due at `now`, in the order of their events.
    fn due(&mut self, endpoint: WebhookId, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Delivery>>;

    /// The deliveries to this endpoint of the entries from `first` to `last`.
    fn of_entries(&mut self, endpoint: WebhookId, first: i64, last: i64) -> StoreResult<Vec<Delivery>>;

    /// Records what became of a slice; `Stale` if somebody else has claimed the endpoint since, or it is gone or disabled.
    fn settle(&mut self, slice: &SettledSlice) -> StoreResult<()>;

    /// The first entry of the log that some enabled endpoint is yet to be told of, or told of again; none if there is no such
    /// endpoint.
    fn unsettled(&mut self) -> StoreResult<Option<i64>>;

    /// The delivery with this id.
    fn delivery(&mut self, id: DeliveryId) -> StoreResult<Option<Delivery>>;

    /// Has this delivery made anew at `now`, whatever became of it; `Stale` if there is none.
    fn redeliver(&mut self, id: DeliveryId, now: DateTime<Utc>) -> StoreResult<()>;

    /// Removes at most `limit` deliveries with ids less than this one that are not pending, the oldest first; how many those were.
    /// What others hold may be passed over: nobody waits for this.
    fn remove_settled(&mut self, before: DeliveryId, limit: usize) -> StoreResult<usize>;

    /// At most `limit` deliveries, newest first, after this one.
    fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> StoreResult<Vec<Delivery>>;
}

/// Which tenants there may be something to deliver for, so that nobody has to look at the others.
pub trait DeliveryMarkRepository {
    /// Has the tenant looked at, from `now` until `until` at least.
    fn mark(&mut self, tenant: TenantId, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<()>;

    /// At most `limit` tenants that are to be looked at now, those that are longest first.
    fn due(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<TenantId>>;

    /// Whoever asked for these tenants looks at them: nobody else has to before `again`. Until when each is marked; those that
    /// somebody else is looking at by now are left out of the answer.
    fn take(
        &mut self,
        tenants: &[TenantId],
        now: DateTime<Utc>,
        again: DateTime<Utc>,
    ) -> StoreResult<Vec<(TenantId, DateTime<Utc>)>>;

    /// There was nothing to deliver at `now`, and will be none before `next`, if nobody has had the tenant looked at until
    /// later than `now`.
    fn unmark(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> StoreResult<()>;
}
