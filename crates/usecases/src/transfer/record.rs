//! The lines that hold the tenant's data. They are read back exactly: times to the microsecond, amounts digit for digit.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::Amount;
use tenantry_domain::account::engine::Trade;
use tenantry_domain::account::{
    Account, AccountMapping, AccountState, AccountStatus, AppliedTrade, TradePlace, Unmapped, WebsiteUserId,
};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::event::Event;
use tenantry_domain::id::{AccountId, MappingId, TenantId, UserId};
use tenantry_domain::organisation::OrgUnit;
use tenantry_domain::people::{Ability, Email, PersonName, Role, User, Username};
use tenantry_domain::tenant::Settings;
use tenantry_ports::{ConfigurationVersion, Credentials, LogEntry, StoredConfig};

use super::archive::{Head, Kind, Trailer};
use super::configuration::ConfigurationRecord;
use super::webhooks::WebhookRecord;

/// A record's line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<T> {
    pub(super) kind: Kind,
    pub(super) data: T,
}

/// What a line holds.
pub(super) enum Entry {
    Head(Head),
    Settings(Settings),
    User(Box<Credentials>),
    Configuration(Box<ConfigurationVersion>),
    Config(Box<StoredConfig>),
    Account(Box<AccountRecord>),
    Organisation(Box<OrgUnit>),
    Mapping(AccountMapping),
    Trade(Box<AppliedTrade>),
    Webhook(Box<WebhookRecord>),
    Event(Box<LogEntry>),
    Trailer(Trailer),
}

/// What a line without its end holds, or what is wrong with it.
pub(super) fn read(kind: Kind, line: &[u8]) -> Result<Entry, String> {
    Ok(match kind {
        Kind::Head => Entry::Head(exactly(kind, line)?),
        Kind::Settings => Entry::Settings(data(kind, line)?),
        Kind::User => Entry::User(Box::new(data::<UserRecord>(kind, line)?.into())),
        Kind::Configuration => {
            Entry::Configuration(Box::new(data::<ConfigurationRecord>(kind, line)?.into()))
        }
        Kind::Config => Entry::Config(Box::new(data::<ConfigRecord>(kind, line)?.into())),
        Kind::Account => Entry::Account(data(kind, line)?),
        Kind::Organisation => Entry::Organisation(data(kind, line)?),
        Kind::Mapping => Entry::Mapping(data::<MappingRecord>(kind, line)?.into()),
        Kind::Trade => Entry::Trade(Box::new(data::<TradeRecord>(kind, line)?.into())),
        Kind::Webhook => Entry::Webhook(data(kind, line)?),
        Kind::Event => Entry::Event(Box::new(data::<EventRecord>(kind, line)?.into())),
        Kind::Trailer => Entry::Trailer(exactly(kind, line)?),
    })
}

/// What kind of line it says it is.
pub(super) fn kind_of(line: &[u8]) -> Option<Kind> {
    #[derive(Deserialize)]
    struct Told {
        kind: Kind,
    }
    serde_json::from_slice::<Told>(line).ok().map(|told| told.kind)
}

fn data<T: Serialize + DeserializeOwned>(kind: Kind, line: &[u8]) -> Result<T, String> {
    exactly::<Line<T>>(kind, line).map(|line| line.data)
}

/// Reads what would be written just so: whatever else is in the line would be lost.
fn exactly<T: Serialize + DeserializeOwned>(kind: Kind, line: &[u8]) -> Result<T, String> {
    let value: T = serde_json::from_slice(line).map_err(|error| match kind {
        // The message might quote the hash of a password.
        Kind::User => format!("it is no user, from column {} on", error.column()),
        kind => format!("it is no {kind}: {error}"),
    })?;
    match serde_json::to_vec(&value) {
        Ok(again) if again == line => Ok(value),
        _ => {
            Err(format!("it holds more than this version knows of, or is not written as it writes a {kind}"))
        }
    }
}

/// A person, with the hash of their password.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserRecord {
    id: UserId,
    email: Email,
    username: Username,
    first_name: Option<PersonName>,
    last_name: Option<PersonName>,
    role: Role,
    abilities: Vec<Ability>,
    active: bool,
    verified: bool,
    password_hash: String,
    version: i64,
    #[serde(with = "exact")]
    created_at: DateTime<Utc>,
    #[serde(with = "exact")]
    updated_at: DateTime<Utc>,
}

impl From<Credentials> for UserRecord {
    fn from(Credentials { user, password_hash }: Credentials) -> Self {
        Self {
            id: user.id,
            email: user.email,
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            role: user.role,
            abilities: user.abilities,
            active: user.active,
            verified: user.verified,
            password_hash,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<UserRecord> for Credentials {
    fn from(record: UserRecord) -> Self {
        let user = User {
            id: record.id,
            email: record.email,
            username: record.username,
            first_name: record.first_name,
            last_name: record.last_name,
            role: record.role,
            abilities: record.abilities,
            active: record.active,
            verified: record.verified,
            version: record.version,
            created_at: record.created_at,
            updated_at: record.updated_at,
        };
        Self { user, password_hash: record.password_hash }
    }
}

/// A version of an account config, with both documents.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConfigRecord {
    id: ConfigId,
    version: ConfigVersion,
    document: Value,
    resolved: Value,
    hash: String,
    created_by: String,
    #[serde(with = "exact")]
    created_at: DateTime<Utc>,
}

impl From<StoredConfig> for ConfigRecord {
    fn from(config: StoredConfig) -> Self {
        let StoredConfig { id, version, document, resolved, hash, created_by, created_at } = config;
        Self { id, version, document, resolved, hash, created_by, created_at }
    }
}

impl From<ConfigRecord> for StoredConfig {
    fn from(record: ConfigRecord) -> Self {
        let ConfigRecord { id, version, document, resolved, hash, created_by, created_at } = record;
        Self { id, version, document, resolved, hash, created_by, created_at }
    }
}

/// An account, of whichever tenant holds it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountRecord {
    pub(super) id: AccountId,
    user_id: WebsiteUserId,
    pub(super) config_id: ConfigId,
    pub(super) config_version: ConfigVersion,
    pub(super) config_hash: String,
    status: AccountStatus,
    state: AccountState,
    meta: Option<Map<String, Value>>,
    version: i64,
    #[serde(with = "exact")]
    created_at: DateTime<Utc>,
    #[serde(with = "exact")]
    updated_at: DateTime<Utc>,
}

impl From<Account> for AccountRecord {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            user_id: account.user_id,
            config_id: account.config_id,
            config_version: account.config_version,
            config_hash: account.config_hash,
            status: account.state.status,
            state: account.state,
            meta: account.meta,
            version: account.version,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

impl AccountRecord {
    /// The account, in the hands of this tenant.
    pub(super) fn of(self, tenant_id: TenantId) -> Account {
        Account {
            id: self.id,
            tenant_id,
            user_id: self.user_id,
            config_id: self.config_id,
            config_version: self.config_version,
            config_hash: self.config_hash,
            state: AccountState { status: self.status, ..self.state },
            meta: self.meta,
            // Whoever takes it over says when.
            rolls_at: None,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// That an account is a website user's, or was.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MappingRecord {
    id: MappingId,
    account_id: AccountId,
    user_id: WebsiteUserId,
    #[serde(with = "exact")]
    mapped_at: DateTime<Utc>,
    mapped_by: Option<String>,
    unmapped: Option<UnmappedRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnmappedRecord {
    #[serde(with = "exact")]
    at: DateTime<Utc>,
    by: String,
}

impl From<AccountMapping> for MappingRecord {
    fn from(AccountMapping { id, account, user, mapped_at, mapped_by, unmapped }: AccountMapping) -> Self {
        let unmapped = unmapped.map(|Unmapped { at, by }| UnmappedRecord { at, by });
        Self { id, account_id: account, user_id: user, mapped_at, mapped_by, unmapped }
    }
}

impl From<MappingRecord> for AccountMapping {
    fn from(record: MappingRecord) -> Self {
        let MappingRecord { id, account_id, user_id, mapped_at, mapped_by, unmapped } = record;
        let unmapped = unmapped.map(|UnmappedRecord { at, by }| Unmapped { at, by });
        Self { id, account: account_id, user: user_id, mapped_at, mapped_by, unmapped }
    }
}

/// A trade that was applied to an account.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TradeRecord {
    account_id: AccountId,
    sequence: i64,
    index: u32,
    realised_pnl: Amount,
    trade: Trade,
}

impl From<AppliedTrade> for TradeRecord {
    fn from(AppliedTrade { account, trade, realised_pnl, place }: AppliedTrade) -> Self {
        let TradePlace { sequence, index } = place;
        Self { account_id: account, sequence, index, realised_pnl, trade }
    }
}

impl From<TradeRecord> for AppliedTrade {
    fn from(TradeRecord { account_id, sequence, index, realised_pnl, trade }: TradeRecord) -> Self {
        Self { account: account_id, trade, realised_pnl, place: TradePlace { sequence, index } }
    }
}

/// An entry of the event log, as it was written then.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventRecord {
    sequence: i64,
    #[serde(with = "hash")]
    previous: [u8; 32],
    #[serde(with = "hash")]
    hash: [u8; 32],
    event: Event,
}

impl From<LogEntry> for EventRecord {
    fn from(LogEntry { sequence, event, previous, hash }: LogEntry) -> Self {
        Self { sequence, previous, hash, event }
    }
}

impl From<EventRecord> for LogEntry {
    fn from(EventRecord { sequence, previous, hash, event }: EventRecord) -> Self {
        Self { sequence, event, previous, hash }
    }
}

/// Times to the microsecond, which is what stores keep.
pub(super) mod exact {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::Serializer;
    pub(in crate::transfer) use tenantry_domain::timestamp::deserialize;

    pub(in crate::transfer) fn serialize<S: Serializer>(
        at: &DateTime<Utc>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// SHA-256 in hexadecimal.
pub(super) mod hash {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tenantry_ports::hexadecimal;

    pub(in crate::transfer) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal(hash))
    }

    pub(in crate::transfer) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("expected 64 hexadecimal digits"))
    }

    fn parse(text: &str) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(hash)
    }
}
