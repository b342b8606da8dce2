use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use futures_util::future::join_all;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tenantry_domain::{Finding, Pointer, json};
use tenantry_ports::{IdempotencyKey, Scope, TenantScope};
use tenantry_usecases::access::{Need, Principal};
use tenantry_usecases::accounts::{Hand, ProvisionAccount, Receipt};
use tenantry_usecases::idempotency::Answer;

use super::provision::{ProvisionBody, ProvisionedView};
use crate::body::{self, Body};
use crate::call::{self, Call};
use crate::idempotency::{self, REPLAYED};
use crate::openapi::{ProblemView, documented};
use crate::problem::Problem;
use crate::routes::respond;
use crate::state::SLICE;

/// Most items in one request.
const MOST: usize = 1000;

/// Accounts to provision.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ProvisionAccounts")]
pub(crate) struct BulkBody {
    /// Each is decided on by itself.
    #[schemars(with = "Vec<BulkItem>", length(min = 1, max = 1000))]
    items: Vec<Value>,
}

impl Body for BulkBody {}

/// What [`ProvisionBody`] says, and a key of its own.
struct BulkItem;

const KEY: &str = "idempotencyKey";

impl JsonSchema for BulkItem {
    fn schema_name() -> Cow<'static, str> {
        "ProvisionAccountsItem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ProvisionBody::json_schema(generator);
        let key = json_schema!({
            "description": "Makes a repeated item get the first answer, in whichever request it comes again",
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$",
        });
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(KEY.to_owned(), key.into());
        }
        schema
    }
}

/// What became of the items, in their order.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AccountsProvisioned")]
pub(crate) struct BulkView {
    items: Vec<ResultView>,
    /// How many accounts are new.
    provisioned: usize,
    /// How many items were answered as before, with an account or with a refusal.
    replayed: usize,
    /// How many items were refused, now or before.
    refused: usize,
}

/// What became of an item.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AccountsProvisionedItem")]
pub(crate) struct ResultView {
    /// What the item alone would have been answered with: 201, or the status of its problem.
    status: u16,
    /// Whether that was answered before.
    replayed: bool,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ProvisionedView<'static>>")]
    account: Option<Box<RawValue>>,
    /// Why there is none. Pointers in it are into the request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ProblemView>")]
    problem: Option<Value>,
}

/// Provision accounts
///
/// Up to 1,000 at once, far cheaper than one by one. Each item is decided on by itself, and one that is refused (or malformed) never
/// fails the others: the answer is 200 with one result each, in the same order.
///
/// An item that comes with an `idempotencyKey` makes one account however often it is sent, in whichever request. The request's own
/// `Idempotency-Key` `K` stands for the keys `K:0`, `K:1` and so on of those items that have none: sent again, the same request
/// finishes what the first one could not, and answers the rest as before, refusals for good too. What was malformed is not kept,
/// and may be mended under its key. A caller who goes away before the answer has provisioned
/// some of the items, from the first on.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/accounts/bulk",
    operation_id = "provisionAccounts",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 250 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = BulkBody, example = json!({
        "items": [
            { "userId": "user-42", "configId": "25k-eval-v1", "idempotencyKey": "order-1001" },
            { "userId": "user-43", "configId": "no-such-config" }
        ]
    })),
    responses((
        status = 200,
        description = "One result for each item",
        body = BulkView,
        headers(("Idempotent-Replayed" = String, description = "`true` if every item was answered before, else absent")),
        example = json!({
            "items": [
                {
                    "status": 201,
                    "replayed": false,
                    "account": {
                        "accountId": "acc_0195c0de00007000800000000000000a",
                        "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
                        "userId": "user-42",
                        "configId": "25k-eval-v1",
                        "configVersion": 1,
                        "status": "provisioned",
                        "balance": 25000,
                        "currency": "USD",
                        "createdAt": "2025-01-10T10:00:00.000Z"
                    }
                },
                {
                    "status": 422,
                    "replayed": false,
                    "problem": {
                        "type": "https://tools.ietf.org/html/rfc4918#section-11.2",
                        "title": "Unknown Config",
                        "status": 422,
                        "detail": "There is no account config 'no-such-config'",
                        "instance": "/requested/path",
                        "code": "unknown_config",
                        "requestId": "0195c0de000070008000000000000001",
                        "help": "/problems/unknown_config"
                    }
                }
            ],
            "provisioned": 1,
            "replayed": 0,
            "refused": 1
        })
    ))
)]
pub(crate) async fn provision_many(mut call: Call) -> call::Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let items = call.bulk_body::<BulkBody>().await?.value.items;
    let order = Order { call: &call, caller: &caller, scope: &scope, key: idempotency::key(call.headers())? };
    check_count(items.len())?;
    let mut results = Vec::with_capacity(items.len());
    let mut items = items.into_iter().enumerate().peekable();
    // A slice at a time: the tenant's other requests have their turn in between.
    while items.peek().is_some() {
        let slice = items.by_ref().take(SLICE).map(|(index, item)| order.place(index, item));
        results.extend(join_all(slice.collect::<Vec<_>>()).await);
    }
    answer(&call, results)
}

fn check_count(count: usize) -> Result<(), Problem> {
    let (code, message) = match count {
        0 => ("too_few_items", "There has to be at least 1 item".to_owned()),
        1..=MOST => return Ok(()),
        more => ("too_many_items", format!("There may be at most {MOST} items, and there are {more}")),
    };
    Err(Problem::invalid(vec![Finding::new(Pointer::root().member("items"), code, message)]))
}

/// What all items have in common.
struct Order<'a> {
    call: &'a Call,
    caller: &'a Principal,
    scope: &'a TenantScope,
    key: Option<String>,
}

impl Order<'_> {
    /// Hands the item in, at once, and answers with what became of it, later.
    fn place(&self, index: usize, item: Value) -> impl Future<Output = Result<Receipt, Problem>> + use<> {
        let submitted =
            self.command(index, item).map(|command| self.call.state.provisioning.submit(self.scope, command));
        async { Ok(submitted?.await??) }
    }

    fn command(&self, index: usize, mut item: Value) -> Result<ProvisionAccount, Problem> {
        let place = Pointer::root().member("items").index(index);
        let own = item.as_object_mut().and_then(|members| members.remove(KEY));
        let mut findings = Vec::new();
        let key = match own {
            None => self.key.as_ref().map(|key| format!("{key}:{index}")),
            Some(Value::String(key)) if idempotency::is_key(&key) => Some(key),
            Some(_) => {
                let message = "The idempotency key must be 1 to 255 printable ASCII characters";
                findings.push(Finding::new(place.member(KEY), "invalid_idempotency_key", message));
                None
            }
        };
        let body = body::part::<ProvisionBody>(&item, &place, self.call.platform().schemas.as_ref());
        let body = match body {
            Ok(body) if findings.is_empty() => body,
            Ok(_) => return Err(Problem::invalid(findings)),
            Err(more) => {
                findings.extend(more);
                return Err(Problem::invalid(findings));
            }
        };
        body.check(self.scope)?;
        let idempotency = key.map(|key| self.idempotency(&key, &item));
        let hand = Hand { actor: self.caller.actor(), trace: self.call.request_id() };
        Ok(body.command(idempotency, hand))
    }

    fn idempotency(&self, key: &str, item: &Value) -> IdempotencyKey {
        let item = json::canonical(item);
        let request = idempotency::Request {
            operation: "provisionAccounts",
            tenant: self.scope.tenant(),
            query: "",
            content_type: "",
            body: item.as_bytes(),
        };
        request.keyed(self.caller, key, self.call.platform().digest.as_ref())
    }
}

fn answer(call: &Call, results: Vec<Result<Receipt, Problem>>) -> call::Answer {
    let (count, request_id) = (results.len(), call.request_id());
    let mut view = BulkView { items: Vec::with_capacity(count), provisioned: 0, replayed: 0, refused: 0 };
    for (index, result) in results.into_iter().enumerate() {
        view.items.push(match result {
            Ok(Receipt { answer: Answer { status, body }, replayed, .. }) => {
                let refused = status >= 400;
                view.refused += usize::from(refused);
                view.replayed += usize::from(replayed);
                view.provisioned += usize::from(!refused && !replayed);
                if refused {
                    ResultView {
                        status,
                        replayed,
                        account: None,
                        problem: serde_json::from_slice(&body).ok(),
                    }
                } else {
                    ResultView {
                        status,
                        replayed,
                        account: serde_json::from_slice(&body).ok(),
                        problem: None,
                    }
                }
            }
            Err(problem) => {
                view.refused += 1;
                if let Some(cause) = problem.cause() {
                    tracing::warn!(target: "tenantry::http", request_id, index, cause, "an item failed");
                }
                let status = problem.code().entry().status.as_u16();
                let problem = Some(problem.to_json(&request_id, call.path()));
                ResultView { status, replayed: false, account: None, problem }
            }
        });
    }
    let mut response = HttpResponse::Ok();
    if view.replayed == count {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    respond::json(response, &view)
}

documented!(BulkBody, BulkView);
