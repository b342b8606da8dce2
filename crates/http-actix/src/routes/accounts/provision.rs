use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::Amount;
use tenantry_domain::account::{Account, AccountStatus, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion};
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_domain::{Finding, timestamp};
use tenantry_ports::{IdempotencyKey, SchemaCheck, Scope, TenantScope};
use tenantry_usecases::access::{Denied, Need};
use tenantry_usecases::accounts::{Answers, Hand, ProvisionAccount, ProvisionError, Receipt};
use tenantry_usecases::idempotency as kept;

use super::notes::{self, Notes};
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::idempotency::{self, Refusals};
use crate::openapi::documented;

/// An account to provision.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ProvisionAccount")]
pub(crate) struct ProvisionBody {
    /// What the website calls the user it is for.
    user_id: WebsiteUserId,
    /// The config to make it from.
    config_id: ConfigId,
    /// Which version of the config; the current one if absent.
    #[serde(default)]
    config_version: Option<ConfigVersion>,
    /// If given, the slug or id of the tenant in the path.
    #[serde(default)]
    #[schemars(length(max = 64))]
    tenant_id: Option<String>,
    /// Whatever the website wants to remember with it, at most 16 KiB as JSON.
    #[serde(default)]
    meta: Option<Notes>,
}

impl Body for ProvisionBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/userId", text::<WebsiteUserId>), ("/configId", text::<ConfigId>)];

    fn faults(document: &Value, _: &dyn SchemaCheck) -> Vec<Finding> {
        notes::faults(document)
    }
}

impl ProvisionBody {
    /// That it names no other tenant.
    pub(super) fn check(&self, scope: &TenantScope) -> Result<(), Denied> {
        match &self.tenant_id {
            Some(named) if !names(scope, named) => Err(Denied::OtherTenant),
            _ => Ok(()),
        }
    }

    /// What is wanted by it.
    pub(super) fn command(self, idempotency: Option<IdempotencyKey>, hand: Hand) -> ProvisionAccount {
        let Self { user_id, config_id, config_version, meta, tenant_id: _ } = self;
        let meta = meta.map(|notes| notes.0);
        ProvisionAccount { user_id, config_id, config_version, meta, idempotency, hand }
    }
}

/// An account that was provisioned.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AccountProvisioned")]
pub(crate) struct ProvisionedView<'a> {
    account_id: AccountId,
    tenant_id: TenantId,
    user_id: &'a WebsiteUserId,
    config_id: &'a ConfigId,
    /// The version it was made from, and keeps.
    config_version: ConfigVersion,
    /// `provisioned`: ready for trades.
    status: AccountStatus,
    /// The config's base capital.
    balance: Amount,
    /// ISO 4217.
    currency: &'static str,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
}

/// Writes the answers that repeated requests get, too.
pub(crate) struct Receipts {
    /// In front of every path.
    pub(crate) prefix: String,
}

impl Answers for &Receipts {
    fn provisioned(&self, account: &Account, config: &AccountConfig) -> Vec<u8> {
        let view = ProvisionedView {
            account_id: account.id,
            tenant_id: account.tenant_id,
            user_id: &account.user_id,
            config_id: &account.config_id,
            config_version: account.config_version,
            status: account.state.status,
            balance: account.state.balance,
            currency: config.currency.as_str(),
            created_at: account.created_at,
        };
        // Texts, numbers and exact amounts always serialise.
        serde_json::to_vec(&view).unwrap_or_default()
    }

    fn refused(&self, scope: &TenantScope, refusal: &ProvisionError, trace: &str) -> Option<kept::Answer> {
        let path = format!("{}/tenants/{}/accounts", self.prefix, scope.slug());
        Refusals::new(trace.to_owned(), path).kept(&refusal.into())
    }
}

/// Provision an account
///
/// The account is ready to receive trades when this answers. Send an `Idempotency-Key` (or `requestId`): a repeated
/// request then gets the first answer, with `Idempotent-Replayed: true`, and no second account. The account keeps the rules of
/// the config's version that it is made from, for ever.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/accounts",
    operation_id = "provisionAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = ProvisionBody, example = json!({ "userId": "user-42", "configId": "25k-eval-v1" })),
    responses((
        status = 201,
        description = "Provisioned",
        body = ProvisionedView,
        headers(
            ("Location" = String, description = "The account"),
            ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
        ),
        example = json!({
            "accountId": "acc_0195c0de00007000800000000000000a",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "userId": "user-42",
            "configId": "25k-eval-v1",
            "configVersion": 1,
            "status": "provisioned",
            "balance": 25000,
            "currency": "USD",
            "createdAt": "2025-01-10T10:00:00.000Z"
        })
    ))
)]
pub(crate) async fn provision(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let received = call.body::<ProvisionBody>().await?;
    let body = received.value;
    body.check(&scope)?;
    let idempotency = call.idempotency(&caller, scope.tenant(), "provisionAccount", &received.bytes)?;
    let hand = Hand { actor: caller.actor(), trace: call.request_id() };
    let command = body.command(idempotency, hand);
    let receipt = call.state.provisioning.submit(&scope, command).await??;
    answer(&call, receipt)
}

fn names(scope: &TenantScope, named: &str) -> bool {
    named == scope.slug().as_str() || named.parse() == Ok(scope.tenant())
}

fn answer(call: &Call, receipt: Receipt) -> Answer {
    let Receipt { account, answer, replayed } = receipt;
    let mut response = idempotency::respond(&answer, replayed);
    if let Some(account) = account.or_else(|| account_in(&answer.body)) {
        response.insert_header((header::LOCATION, format!("{}/{account}", call.path())));
    }
    Ok(response.body(answer.body))
}

/// The account that an answer given before is about.
fn account_in(body: &[u8]) -> Option<AccountId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Provisioned {
        account_id: AccountId,
    }
    serde_json::from_slice::<Provisioned>(body).ok().map(|provisioned| provisioned.account_id)
}

documented!(ProvisionBody, ProvisionedView<'static>);
