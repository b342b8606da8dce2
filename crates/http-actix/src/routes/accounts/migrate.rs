use actix_web::HttpResponse;
use actix_web::http::header;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_domain::account::engine::Violation;
use tenantry_domain::account::{AccountStatus, Rule, RuleStatus};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts::{self, AccountView as Found, Destination, Hand, Migration};

use super::change::account_in_path;
use super::view::AccountView;
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::routes::respond;

/// The config version that an account is to follow: another version, another config, or both.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "MigrateAccount")]
pub(crate) struct MigrateBody {
    /// The config; if absent, the one the account follows.
    #[serde(default)]
    config_id: Option<ConfigId>,
    /// The version; if absent, the current one.
    #[serde(default)]
    config_version: Option<ConfigVersion>,
    /// Whether only to say what would change.
    #[serde(default)]
    dry_run: bool,
}

impl Body for MigrateBody {
    const TEXTS: &'static [(&'static str, TextCheck)] = &[("/configId", text::<ConfigId>)];
}

/// What a migration does to an account, or would do.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Migration")]
pub(crate) struct MigrationView {
    /// Whether nothing was done.
    dry_run: bool,
    /// What it follows until then.
    from: FollowedView,
    /// What it follows from then on.
    to: FollowedView,
    /// Whether the account breaks a loss rule of the new version and is breached by that, or its time has run out.
    in_breach: bool,
    /// The rules of the new version that it breaks.
    violations: Vec<Violation>,
    /// The rules with which it stands otherwise than before.
    rule_changes: Vec<RuleChangeView>,
    /// The account as it is then.
    account: AccountView,
}

/// A config version that an account follows, and what it is by it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FollowedConfig")]
pub(crate) struct FollowedView {
    config_id: ConfigId,
    config_version: ConfigVersion,
    /// The account's status.
    status: AccountStatus,
    /// The stage whose rules apply.
    challenge_id: String,
}

impl From<&Found> for FollowedView {
    fn from(found: &Found) -> Self {
        Self {
            config_id: found.account.config_id.clone(),
            config_version: found.account.config_version,
            status: found.account.state.status,
            challenge_id: found.account.state.challenge.id.to_string(),
        }
    }
}

/// A rule with which an account stands otherwise than before.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RuleChange")]
pub(crate) struct RuleChangeView {
    rule: Rule,
    before: RuleStatus,
    after: RuleStatus,
}

impl MigrationView {
    fn of(Migration { before, after, violations }: Migration, dry_run: bool) -> Self {
        let pairs = before.rules.iter().zip(&after.rules).filter(|(before, after)| before != after);
        let rule_changes =
            pairs.map(|(before, after)| RuleChangeView { rule: before.rule, before: *before, after: *after });
        let broken = [AccountStatus::Breached, AccountStatus::Expired];
        Self {
            dry_run,
            from: (&before).into(),
            to: (&after).into(),
            in_breach: broken.contains(&after.account.state.status),
            violations,
            rule_changes: rule_changes.collect(),
            account: after.into(),
        }
    }
}

/// Migrate an account
///
/// Has the account follow another version of its config, or another config. It keeps balance, positions, profit and days, and its stage:
/// the one of the same id, else the one at the same position, else the last; one that has not traded starts with the capital of
/// its new config. With `dryRun` it is only said what would become of it: which rules would stand otherwise, and whether it would be in
/// breach. Without, it is done, whatever that does to it: ask first. An account that follows that version already stays as it is.
/// Another config has to be among the tenant's `allowedConfigs` and of the same currency.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/accounts/{accountId}/migrate",
    operation_id = "migrateAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the account has to have"),
    ),
    request_body(content = MigrateBody, example = json!({ "configVersion": 2, "dryRun": true })),
    responses((status = 200, description = "What it does, or would do", body = MigrationView, headers(("ETag" = String))))
)]
pub(crate) async fn migrate(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let id = account_in_path(&call)?;
    let MigrateBody { config_id, config_version, dry_run } = call.body().await?.value;
    if config_id.is_none() && config_version.is_none() {
        let message = "Say where to: `configVersion`, `configId`, or both";
        let finding = Finding::new(Pointer::root().member("configVersion"), "required", message);
        return Err(Problem::invalid(vec![finding]));
    }
    let to = Destination { config: config_id, version: config_version };
    let (meant, hand) =
        (IfMatch::of(call.headers()), Hand { actor: caller.actor(), trace: call.request_id() });
    let migration = call.on_storage::<_, Problem>(move |platform| {
        let is_meant = |version| meant.means_version(version);
        Ok(match dry_run {
            true => accounts::plan_migration(platform, &scope, id, &to, is_meant)?,
            false => accounts::migrate(platform, &scope, id, &to, hand, is_meant)?,
        })
    });
    let migration = migration.await?;
    let now = if dry_run { &migration.before } else { &migration.after };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, respond::etag(now.account.version)));
    respond::json(response, &MigrationView::of(migration, dry_run))
}

documented!(MigrateBody, MigrationView);
