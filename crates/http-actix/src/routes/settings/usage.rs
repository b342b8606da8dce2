use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::tenant::{Limit, Plan, QuotaKind};
use tenantry_domain::timestamp;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::limits::{self, Usage};

use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// How much of what it may have a tenant has.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Usage")]
pub(crate) struct UsageView {
    /// What the tenant pays for.
    plan: Plan,
    /// Trading accounts.
    accounts: Used,
    /// People who can sign in.
    users: Used,
    /// Account configs; versions of the same id count once.
    configs: Used,
    /// API keys that work.
    api_keys: Used,
    /// Requests: how many a minute may come in the long run, and how many of those that may come at once have come, on this
    /// server.
    requests_per_minute: Used,
}

/// How much there may be of something, and how much there is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UsageOf")]
pub(crate) struct Used {
    /// How much there may be.
    quota: Limit,
    /// How much there is.
    used: u64,
    /// When that begins anew, all other things being equal; null for what stays until it is removed.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    reset_at: Option<DateTime<Utc>>,
}

impl Used {
    fn of(usage: &Usage, kind: QuotaKind) -> Self {
        Self { quota: usage.allowance.of(kind), used: usage.of(kind).unwrap_or_default(), reset_at: None }
    }
}

/// Read a tenant's usage
///
/// Of everything there is a quota for: how much there may be, how much there is, and when it begins anew.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/usage",
    operation_id = "getUsage",
    tag = "settings",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    responses((status = 200, description = "The usage", body = UsageView, example = json!({
        "plan": "Basic",
        "accounts": { "quota": 10000, "used": 1234, "resetAt": null },
        "users": { "quota": 100, "used": 3, "resetAt": null },
        "configs": { "quota": 200, "used": 12, "resetAt": null },
        "apiKeys": { "quota": 20, "used": 2, "resetAt": null },
        "requestsPerMinute": { "quota": 6000, "used": 17, "resetAt": "2025-01-10T10:00:01.000Z" }
    })))
)]
pub(crate) async fn usage(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::SettingsRead)).await?;
    let (tenant, plan) = (scope.tenant(), scope.plan());
    let usage = call.on_storage(move |platform| limits::usage(platform, &scope)).await?;
    let now = call.platform().clock.now();
    let requests = call.state.tenant_rates.standing(tenant);
    let of = |kind| Used::of(&usage, kind);
    let view = UsageView {
        plan,
        accounts: of(QuotaKind::Accounts),
        users: of(QuotaKind::Users),
        configs: of(QuotaKind::Configs),
        api_keys: of(QuotaKind::ApiKeys),
        requests_per_minute: Used {
            used: requests.map_or(0, |(taken, _)| taken.into()),
            reset_at: requests.and_then(|(_, reset)| Some(now + chrono::TimeDelta::from_std(reset).ok()?)),
            ..of(QuotaKind::Requests)
        },
    };
    respond::json(respond::private(StatusCode::OK), &view)
}

documented!(UsageView);
