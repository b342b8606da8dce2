//! The first door to a tenant: announce it, then confirm it with the token.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Plan, Slug, TenantName};
use tenantry_domain::text::InvalidText;
use tenantry_usecases::idempotency::Once;
use tenantry_usecases::tenants::{self, InitError, InitTenant};

use super::respond;
use crate::auth::bearer;
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::idempotency;
use crate::openapi::documented;
use crate::problem::{Code, Problem};

/// A tenant to announce.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "InitTenant")]
pub(crate) struct InitTenantBody {
    /// The company's name, 3 to 200 characters.
    name: TenantName,
    /// Its name in URLs: `a-z`, `0-9` and `-`, 3 to 50 characters.
    slug: Slug,
    /// What it pays for.
    plan: Plan,
    /// Whom to tell when it is ready.
    #[serde(default)]
    contact_email: Option<Email>,
}

impl Body for InitTenantBody {
    const TEXTS: &'static [(&'static str, TextCheck)] = &[
        ("/name", text::<TenantName>),
        ("/slug", text::<Slug>),
        ("/plan", plan),
        ("/contactEmail", text::<Email>),
    ];
}

/// Says that there is no such plan, in the words of the source documents.
pub(super) fn plan(text: &str) -> Result<(), InvalidText> {
    text.parse::<Plan>().map(drop).map_err(|error| InvalidText::new("invalid_plan", error.to_string()))
}

/// A tenant was announced.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initialized {
    /// Follow the provisioning under this id.
    provisioning_id: String,
    /// Confirms the provisioning, once, within 15 minutes.
    confirm_token: String,
    /// Where to send the token.
    next: &'static str,
    /// The same, for people.
    message: &'static str,
}

/// Announce a tenant
///
/// Nothing is made until the confirmation token comes back to `/provision/tenants/confirm`. Send an `Idempotency-Key` (or
/// `requestId`): a repeated request then gets the first answer, with the same token and `Idempotent-Replayed: true`.
#[utoipa::path(
    post,
    path = "/provision/tenants/init",
    operation_id = "initTenantProvisioning",
    tag = "provisioning",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(
        content = InitTenantBody,
        example = json!({ "name": "Acme Corporation", "slug": "acme", "plan": "Premium" })
    ),
    responses((status = 200, description = "Announced; the token is valid for 15 minutes", body = Initialized, headers(
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    ), example = json!({
        "provisioningId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "confirmToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
        "next": "/provision/tenants/confirm",
        "message": "Provisioning initialized. Use the confirmation token within 15 minutes to proceed."
    })))
)]
pub(crate) async fn init(mut call: Call) -> Answer {
    let received = call.order::<InitTenantBody>().await?;
    let request = call.order_idempotency("initTenantProvisioning", &received.bytes)?;
    let body = received.value;
    let command = InitTenant {
        name: body.name,
        slug: body.slug,
        plan: body.plan,
        contact_email: body.contact_email,
        cluster: None,
    };
    let refusals = call.refusals();
    let once = call.on_storage::<_, InitError>(move |platform| match request {
        None => Ok(Once::Done(tenants::init(platform, command)?)),
        Some(request) => {
            tenants::init_once(platform, &command, &request, |refusal| refusals.kept(&refusal.into()))
        }
    });
    let (announced, replayed) = match once.await? {
        Once::Done(announced) => (announced, false),
        Once::Before(kept) if kept.status == StatusCode::OK => {
            (tenants::announced_before(call.platform(), &kept)?, true)
        }
        Once::Before(refusal) => return Ok(idempotency::answer(refusal, true)),
        Once::Refused(refusal) => return Ok(idempotency::answer(refusal, false)),
        Once::KeyReused => return Err(Problem::plain(Code::IdempotencyKeyReused)),
    };
    call.note(|trace| trace.tenant = Some(announced.tenant));
    let answer = Initialized {
        provisioning_id: announced.tenant.uuid().to_string(),
        confirm_token: announced.confirm_token.expose().to_owned(),
        next: "/provision/tenants/confirm",
        message: "Provisioning initialized. Use the confirmation token within 15 minutes to proceed.",
    };
    let mut response = respond::private(StatusCode::OK);
    if replayed {
        response.insert_header((idempotency::REPLAYED, HeaderValue::from_static("true")));
    }
    respond::json(response, &answer)
}

/// A provisioning was confirmed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Confirmed")]
pub(crate) struct ConfirmedView {
    /// Follow the provisioning under this id.
    provisioning_id: String,
    /// `QUEUED`.
    status: &'static str,
    /// The same, for people.
    message: &'static str,
    /// Where to follow it.
    status_endpoint: String,
}

/// Confirm an announced tenant
///
/// Queues it for provisioning. A token works once; a second time is answered with 409.
#[utoipa::path(
    post,
    path = "/provision/tenants/confirm",
    operation_id = "confirmTenantProvisioning",
    tag = "provisioning",
    responses((status = 200, description = "Queued", body = ConfirmedView, example = json!({
        "provisioningId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "status": "QUEUED",
        "message": "Provisioning confirmed and queued for processing",
        "statusEndpoint": "/provision/tenants/3fa85f64-5717-4562-b3fc-2c963f66afa6/status"
    })))
)]
pub(crate) async fn confirm(call: Call) -> Answer {
    let missing =
        || Problem::new(Code::MissingAuthorization, "Authorization header with Bearer token is required");
    let token = bearer(call.headers()).ok_or_else(missing)?.to_owned();
    let confirmed = call.on_storage(move |platform| tenants::confirm(platform, &token)).await?;
    call.note(|trace| trace.tenant = Some(confirmed.tenant));
    let id = confirmed.tenant.uuid();
    let answer = ConfirmedView {
        provisioning_id: id.to_string(),
        status: "QUEUED",
        message: "Provisioning confirmed and queued for processing",
        status_endpoint: super::status::endpoint(confirmed.tenant),
    };
    respond::json(respond::private(StatusCode::OK), &answer)
}

documented!(InitTenantBody, Initialized, ConfirmedView);
