//! What stores keep beside the domain's own aggregates.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::event::{Event, EventTypePattern};
use tenantry_domain::id::{AccountId, ApiKeyId, TenantId, UserId};
use tenantry_domain::people::{Email, PersonName, User, Username};

/// The first admin of a tenant that is still being provisioned. Holds no password, only its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the user it becomes")]
pub struct PendingAdmin {
    pub id: UserId,
    pub email: Email,
    pub username: Username,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    /// PHC string.
    pub password_hash: String,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "named as they are written")]
pub enum Scope {
    AccountsRead,
    AccountsWrite,
    ConfigsRead,
    ConfigsWrite,
    TradesWrite,
    WebhooksRead,
    WebhooksWrite,
    EventsRead,
    SettingsRead,
    SettingsWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 10] = [
        Self::AccountsRead,
        Self::AccountsWrite,
        Self::ConfigsRead,
        Self::ConfigsWrite,
        Self::TradesWrite,
        Self::WebhooksRead,
        Self::WebhooksWrite,
        Self::EventsRead,
        Self::SettingsRead,
        Self::SettingsWrite,
    ];

    /// As it is written, `accounts:read`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::ConfigsRead => "configs:read",
            Self::ConfigsWrite => "configs:write",
            Self::TradesWrite => "trades:write",
            Self::WebhooksRead => "webhooks:read",
            Self::WebhooksWrite => "webhooks:write",
            Self::EventsRead => "events:read",
            Self::SettingsRead => "settings:read",
            Self::SettingsWrite => "settings:write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no scope; there are accounts:read, accounts:write, configs:read, configs:write, trades:write, webhooks:read, webhooks:write, events:read, settings:read and settings:write"
)]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The record of an API key. The key itself is nowhere; its hash is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose key; none for the platform operator's.
    pub tenant: Option<TenantId>,
    /// What it is for, in its maker's words.
    pub name: String,
    /// The public part that it is looked up by; also shown in lists.
    pub lookup: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// Its last four characters, to tell keys apart in lists.
    pub last4: String,
    /// What it may do; an operator's key may do everything and has none.
    pub scopes: BTreeSet<Scope>,
    /// Who made it, as an id or `operator` or `cli`.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// About when it was last used, to within a minute; written a minute late at most.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The request it was made for, if that can be repeated.
    pub request: Option<IdempotencyKey>,
    /// Rises with every change but that of `last_used_at`; 1 at first.
    pub version: i64,
}

impl ApiKey {
    /// Whether it works at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A user with the hash of their password.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// PHC string.
    pub password_hash: String,
}

/// One immutable version of an account config.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredConfig {
    /// The config's id.
    pub id: ConfigId,
    /// Which version.
    pub version: ConfigVersion,
    /// As uploaded.
    pub document: Value,
    /// Laid over its parents; what accounts are made from.
    pub resolved: Value,
    /// Hexadecimal SHA-256 of the canonical resolved document.
    pub hash: String,
    /// Who uploaded it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The current version of a config, without its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigHead {
    /// The config's id.
    pub id: ConfigId,
    /// The current version.
    pub version: ConfigVersion,
    /// That version's hash.
    pub hash: String,
}

/// One of a config's versions, without its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigVersionRecord {
    /// Which version.
    pub version: ConfigVersion,
    /// Its hash.
    pub hash: String,
    /// Who uploaded it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// An idempotency key in its scope, and what the request looked like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Caller, operation and the caller's key: what must be unique.
    pub scope: String,
    /// SHA-256 over the request.
    pub fingerprint: [u8; 32],
}

/// The first answer to a request, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// What it answers.
    pub key: IdempotencyKey,
    /// HTTP status.
    pub status: u16,
    /// The body as sent.
    pub body: Vec<u8>,
    /// When it was given.
    pub created_at: DateTime<Utc>,
}

/// The end of an event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// The last sequence number; 0 for an empty log.
    pub sequence: i64,
    /// The last entry's hash; zeros for an empty log.
    pub hash: [u8; 32],
}

impl LogHead {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };
}

/// How many there are in a tenant's database of what is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Accounts.
    pub accounts: u64,
    /// People, those who are disabled among them.
    pub users: u64,
    /// Account configs, whatever number of versions each has.
    pub configs: u64,
}

/// One entry of an event log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Its place, from 1, without gaps.
    pub sequence: i64,
    /// What happened.
    pub event: Event,
    /// The hash of the entry before.
    pub previous: [u8; 32],
    /// SHA-256 over `previous` and the canonical event.
    pub hash: [u8; 32],
}

impl LogEntry {
    /// The event as it is shown to the outside, whichever way: with its place in the log, which versions before this one
    /// did not store with it.
    pub fn told(self) -> Event {
        self.placed().event
    }

    /// The same with the rest of the entry.
    #[must_use]
    pub fn placed(mut self) -> Self {
        self.event.meta.sequence = Some(self.sequence);
        self
    }
}

/// A row of an event log as it stands in the database, for whoever doubts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Its place.
    pub sequence: i64,
    /// The columns beside the envelope, which repeat what is in it.
    pub id: String,
    /// As above.
    pub event_type: String,
    /// As above.
    pub account_id: Option<String>,
    /// What happened, as JSON, if nobody has touched it.
    pub envelope: String,
    /// What it says is the hash of the entry before.
    pub previous: Vec<u8>,
    /// What it says is its own hash.
    pub hash: Vec<u8>,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of these types.
    pub event_type: Option<EventTypePattern>,
    /// Only those of this account.
    pub account: Option<AccountId>,
    /// Only those of this tenant: for a log that is not a tenant's.
    pub tenant: Option<TenantId>,
}

impl EventFilter {
    /// Whether this event is wanted.
    pub fn matches(&self, event: &Event) -> bool {
        self.event_type.as_ref().is_none_or(|pattern| pattern.matches(&event.event_type))
            && self.account.is_none_or(|account| event.account_id == Some(account))
            && self.tenant.is_none_or(|tenant| event.tenant_id == Some(tenant))
    }
}
