use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Plan, TenantName};
use tenantry_usecases::tenants::{self, TenantChange};

use super::operate::{answer, operate};
use super::view::TenantView;
use crate::body::{Body, TextCheck, present, text};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::provisioning;

/// What is to be different about a tenant; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChangeTenant")]
pub(crate) struct ChangeTenantBody {
    /// The company's name, 3 to 200 characters.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "TenantName")]
    name: Option<TenantName>,
    /// What it pays for.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Plan")]
    plan: Option<Plan>,
    /// Whom to tell things; `null` for nobody.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Email>")]
    contact_email: Option<Option<Email>>,
}

impl Body for ChangeTenantBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/name", text::<TenantName>), ("/plan", provisioning::plan), ("/contactEmail", text::<Email>)];
}

/// Change a tenant
///
/// Its name, plan or contact; what is left out stays. Send the `ETag` of what you have seen as `If-Match` to change that and
/// nothing newer. While a worker is at the tenant's database the answer is 409 with `Retry-After`.
#[utoipa::path(
    patch,
    path = "/tenants/{tenantId}",
    operation_id = "changeTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    request_body(content = ChangeTenantBody, example = json!({ "plan": "Premium", "contactEmail": null })),
    responses((status = 200, description = "The tenant as it is now", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn change(mut call: Call) -> Answer {
    call.operator().await?;
    let body = call.body::<ChangeTenantBody>().await?.value;
    let change = TenantChange { name: body.name, plan: body.plan, contact_email: body.contact_email };
    let changed = operate(&call, |platform, target| Ok(tenants::update(platform, target, change).map(drop)?));
    answer(StatusCode::OK, changed.await?)
}

documented!(ChangeTenantBody);
