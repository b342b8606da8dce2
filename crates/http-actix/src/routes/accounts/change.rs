use actix_web::HttpResponse;
use actix_web::http::header;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::id::AccountId;
use tenantry_ports::{SchemaCheck, Scope};
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts::{self, AccountView as Found, Change, Hand, Trading};

use super::no_such_account;
use super::notes::{self, Notes};
use super::view::AccountView;
use crate::body::{Body, present};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::routes::respond;

/// What is to be different about an account; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChangeAccount")]
pub(crate) struct ChangeAccountBody {
    /// Other notes, in the place of those there are, at most 16 KiB as JSON; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Notes>")]
    meta: Option<Option<Notes>>,
    /// Whether it may trade: `disabled`, until it is `enabled` again.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "WantedStatus")]
    status: Option<WantedStatus>,
    /// `reset`: its stage starts afresh, with the capital of its config and no positions.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "WantedAction")]
    action: Option<WantedAction>,
}

impl Body for ChangeAccountBody {
    fn faults(document: &Value, _: &dyn SchemaCheck) -> Vec<Finding> {
        notes::faults(document)
    }
}

/// Whether an account may trade.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum WantedStatus {
    Disabled,
    Enabled,
}

/// What is to be done to an account.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum WantedAction {
    Reset,
}

/// Change an account
///
/// All that is asked for, or nothing. First a stage is reset, then the account is disabled or enabled, then its notes are
/// replaced. An enabled account is what it was when it was disabled; what marks and time have done to it meanwhile has its
/// consequences then. Disabling what is disabled and enabling what is not changes nothing. Nothing but the notes can be changed of an
/// account that is breached, expired or closed. Send the `ETag` as `If-Match` so as to change what you have seen.
#[utoipa::path(
    put,
    path = "/tenants/{tenantId}/accounts/{accountId}",
    operation_id = "changeAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the account has to have"),
    ),
    request_body(content = ChangeAccountBody, example = json!({ "status": "disabled", "meta": { "ticket": 4711 } })),
    responses((status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String))))
)]
pub(crate) async fn change(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let id = account_in_path(&call)?;
    let ChangeAccountBody { meta, status, action } = call.body().await?.value;
    let status = status.map(|status| match status {
        WantedStatus::Disabled => Trading::Disabled,
        WantedStatus::Enabled => Trading::Enabled,
    });
    let meta = meta.map(|notes| notes.map(|notes| notes.0));
    let wanted = Change { meta, status, reset: matches!(action, Some(WantedAction::Reset)) };
    let (meant, hand) =
        (IfMatch::of(call.headers()), Hand { actor: caller.actor(), trace: call.request_id() });
    let changed = call.on_storage::<_, Problem>(move |platform| {
        Ok(accounts::change(platform, &scope, id, wanted, hand, |version| meant.means_version(version))?)
    });
    answer(changed.await?)
}

/// Close an account
///
/// For good. One with open positions is closed only with `force=true`, which closes them at their marks. One that is closed
/// already stays so; one that is breached or expired cannot be closed.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/accounts/{accountId}",
    operation_id = "closeAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("force" = Option<bool>, Query, description = "Whether to close open positions, at their marks; `false` if absent"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the account has to have"),
    ),
    responses((status = 204, description = "It is closed", headers(("ETag" = String))))
)]
pub(crate) async fn close(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let id = account_in_path(&call)?;
    let mut query = call.query();
    let force = query.value::<bool>("force").unwrap_or_default();
    query.finish()?;
    let (meant, hand) =
        (IfMatch::of(call.headers()), Hand { actor: caller.actor(), trace: call.request_id() });
    let closed = call.on_storage::<_, Problem>(move |platform| {
        Ok(accounts::close(platform, &scope, id, force, hand, |version| meant.means_version(version))?)
    });
    let tag = respond::etag(closed.await?.account.version);
    Ok(HttpResponse::NoContent().insert_header((header::ETAG, tag)).finish())
}

pub(crate) fn account_in_path(call: &Call) -> Result<AccountId, Problem> {
    call.segment("accountId").parse().map_err(|_| no_such_account())
}

fn answer(found: Found) -> Answer {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, respond::etag(found.account.version)));
    respond::json(response, &AccountView::from(found))
}

documented!(ChangeAccountBody);
