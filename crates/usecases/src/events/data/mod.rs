//! What is in `data` of the events that the use cases write: what is documented is what is written.

mod accounts;
mod configured;
mod platform;
mod trades;
mod webhooks;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::account::{AccountStatus, WebsiteUserId};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::id::{AccountId, SessionId, TenantId, UserId};
use tenantry_domain::money::Amount;
use tenantry_domain::people::{Role, Username};
use tenantry_domain::tenant::{Limit, Slug, Status, StepKind, TenantName};
use tenantry_domain::timestamp;

use crate::settings::Wanted;

pub(crate) use accounts::{AccountChanged, AccountUpdated, Emitted, Mapping};
pub(crate) use configured::{ConfigChanged, OrganisationImported, UnitChanged, UnitsImported};
pub(crate) use platform::{
    ApiKeyMade, ApiKeyRevoked, ApiKeyRotated, NoticesResent, SecretKeyReplaced, SigningKeyMade,
};
pub(crate) use trades::{
    AccountTraded, AccountsMarked, AccountsRolled, DaysRolled, PricesMarked, StatusMoved,
};
pub(crate) use webhooks::{
    EndpointChanged, EndpointDisabled, EndpointRecovered, EndpointTold, EndpointTried, Redelivered,
    SecretRotated,
};

/// `tenant.…` but for `tenant.imported`: how the tenant stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantStanding<'a> {
    pub(crate) slug: &'a Slug,
    pub(crate) name: &'a TenantName,
    /// What it pays for.
    pub(crate) plan: &'a str,
    /// Its state after this.
    #[schemars(with = "String")]
    pub(crate) status: Status,
    /// Rises with every change. Calls may overtake each other; a receiver drops what is older than what it has.
    pub(crate) version: i64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<StepDone>,
    /// Of `failed`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FailureTold<'a>>,
    /// Of `failed`: whether something is left that somebody has to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) needs_attention: Option<bool>,
    /// Of `updated`: which members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<&'a [&'static str]>,
    /// Of `deprovisioning.queued`: when its database is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) drop_at: Option<DateTime<Utc>>,
    /// Who did it, of what an operator does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<&'a str>,
}

/// Of `step_completed`: which one.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepDone {
    /// The number of the run.
    pub(crate) run: u32,
    /// The step.
    #[schemars(with = "String")]
    pub(crate) step: StepKind,
    /// How often it was tried, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u32>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) started_at: Option<DateTime<Utc>>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) completed_at: Option<DateTime<Utc>>,
}

/// Why a tenant could not be provisioned.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FailureTold<'a> {
    /// For programs.
    pub(crate) code: &'a str,
    /// For people, strangers included.
    pub(crate) message: &'a str,
}

/// `tenant.imported`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantImported<'a> {
    /// The SHA-256 of the archive, in hexadecimal.
    pub(crate) archive: &'a str,
    /// When it was exported.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) exported_at: DateTime<Utc>,
    /// What it was exported from.
    pub(crate) from: Origin<'a>,
    /// How many records of each kind it holds.
    pub(crate) records: BTreeMap<String, u64>,
}

/// A tenant, of this installation or another.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin<'a> {
    pub(crate) tenant_id: TenantId,
    pub(crate) slug: &'a Slug,
}

/// `settings.updated`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettingsUpdated<'a> {
    /// Who changed them.
    pub(crate) changed_by: &'a str,
    /// What they were.
    pub(crate) before: &'a Wanted,
    /// What they are.
    pub(crate) after: &'a Wanted,
}

/// `quota.warning`, `quota.reached`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct QuotaPassed {
    /// Which quota, as in the settings.
    pub(crate) quota: &'static str,
    /// How many there may be.
    pub(crate) limit: Limit,
    /// How many there are.
    pub(crate) used: u64,
}

/// `config.uploaded`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigUploaded<'a> {
    pub(crate) config_id: &'a ConfigId,
    pub(crate) version: ConfigVersion,
    /// The SHA-256 of the config as it applies, in hexadecimal.
    pub(crate) hash: &'a str,
    /// Who uploaded it.
    pub(crate) uploaded_by: &'a str,
}

/// `account.provisioned`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountProvisioned<'a> {
    pub(crate) account_id: AccountId,
    /// The website's user.
    pub(crate) user_id: &'a WebsiteUserId,
    pub(crate) config_id: &'a ConfigId,
    pub(crate) config_version: ConfigVersion,
    pub(crate) status: AccountStatus,
    pub(crate) balance: Amount,
    /// Who ordered it.
    pub(crate) by: &'a str,
}

/// `user.created`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserCreated<'a> {
    pub(crate) user_id: UserId,
    pub(crate) username: &'a Username,
    pub(crate) role: Role,
    /// Who created them.
    pub(crate) by: &'a str,
}

/// `user.updated`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserUpdated<'a> {
    pub(crate) user_id: UserId,
    /// Rises with every change of the person.
    pub(crate) version: i64,
    /// Which members changed.
    pub(crate) changed: &'a [&'static str],
    pub(crate) role: Role,
    /// Whether they can sign in.
    pub(crate) active: bool,
    /// How many of their sessions ended with that.
    pub(crate) sessions_ended: usize,
    /// Who changed them.
    pub(crate) by: &'a str,
}

/// `user.password_changed`, `user.signed_out`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionsEnded<'a> {
    pub(crate) user_id: UserId,
    /// How many sessions ended with that.
    pub(crate) sessions_ended: usize,
    /// Who did it.
    pub(crate) by: &'a str,
}

/// `session.started`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionStarted {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: UserId,
}

/// `session.revoked`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionRevoked<'a> {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: UserId,
    /// Why it ended.
    pub(crate) reason: Option<&'a str>,
    /// Who ended it.
    pub(crate) by: &'a str,
}

/// `session.reuse_detected`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReuseDetected {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: UserId,
    /// The number of the refresh token that is in force.
    pub(crate) generation: u32,
}
