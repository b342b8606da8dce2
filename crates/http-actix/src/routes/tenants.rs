//! The second door to a tenant: create it together with its first admin, and wait until it is there.

use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::id::{TenantId, UserId};
use tenantry_domain::people::{Email, PersonName, Role, Username};
use tenantry_domain::tenant::{Lifecycle, Plan, Slug, Tenant, TenantName};
use tenantry_domain::timestamp;
use tenantry_ports::{PendingAdmin, StoreError};
use tenantry_usecases::tenants::{self, CreateTenant, NewAdmin};

use super::password::TypedPassword;
use super::{provisioning, respond, status};
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Code, Problem};

/// A tenant to create.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CreateTenant")]
pub(crate) struct CreateTenantBody {
    /// The company's name, 3 to 200 characters.
    name: TenantName,
    /// Its slug: its name in URLs, `a-z`, `0-9` and `-`, 3 to 50 characters.
    subdomain: Slug,
    /// What it pays for; `Basic` if absent.
    #[serde(default)]
    plan: Option<Plan>,
    /// Whatever the platform wants to remember with the tenant.
    #[serde(default)]
    config: Option<Map<String, Value>>,
    /// Its first admin.
    admin: NewAdminBody,
}

/// The first admin of a new tenant.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NewAdmin")]
pub(crate) struct NewAdminBody {
    /// To sign in with.
    email: Email,
    /// Made from the e-mail address if absent.
    #[serde(default)]
    username: Option<Username>,
    /// 8 to 128 characters, none of the common ones.
    password: TypedPassword,
    /// Their first name.
    #[serde(default)]
    first_name: Option<PersonName>,
    /// Their last name.
    #[serde(default)]
    last_name: Option<PersonName>,
}

impl Body for CreateTenantBody {
    const TEXTS: &'static [(&'static str, TextCheck)] = &[
        ("/name", text::<TenantName>),
        ("/subdomain", text::<Slug>),
        ("/plan", provisioning::plan),
        ("/admin/email", text::<Email>),
        ("/admin/username", text::<Username>),
        ("/admin/password", TypedPassword::check),
        ("/admin/firstName", text::<PersonName>),
        ("/admin/lastName", text::<PersonName>),
    ];
}

impl From<CreateTenantBody> for CreateTenant {
    fn from(body: CreateTenantBody) -> Self {
        Self {
            name: body.name,
            slug: body.subdomain,
            plan: body.plan.unwrap_or_default(),
            config: body.config,
            admin: NewAdmin {
                email: body.admin.email,
                username: body.admin.username,
                password: body.admin.password.into_secret(),
                first_name: body.admin.first_name,
                last_name: body.admin.last_name,
            },
        }
    }
}

/// A tenant that is in service, and its admin.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TenantCreated")]
pub(crate) struct CreatedView {
    tenant: CreatedTenant,
    admin_user: AdminUser,
}

/// The new tenant.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedTenant {
    id: TenantId,
    name: TenantName,
    subdomain: Slug,
    plan: Plan,
    /// `Active`.
    status: &'static str,
    /// The id of its provisioning.
    provisioning_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Map<String, Value>>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
}

/// The tenant's admin.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminUser {
    id: UserId,
    email: Email,
    username: Username,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<PersonName>,
    role: Role,
}

impl CreatedView {
    fn of(tenant: Tenant, admin: PendingAdmin) -> Self {
        Self {
            tenant: CreatedTenant {
                status: tenant.lifecycle.status().as_str(),
                provisioning_id: tenant.id.uuid().to_string(),
                id: tenant.id,
                name: tenant.name,
                subdomain: tenant.slug,
                plan: tenant.plan,
                config: tenant.config,
                created_at: tenant.created_at,
            },
            admin_user: AdminUser {
                id: admin.id,
                email: admin.email,
                username: admin.username,
                first_name: admin.first_name,
                last_name: admin.last_name,
                role: Role::Admin,
            },
        }
    }
}

/// Create a tenant with its first admin
///
/// Goes through the same states and steps as `/provision/tenants/init`, confirmed at once, and answers when the tenant
/// is Active. If that takes too long, the answer is 503 with the `statusEndpoint` to follow.
#[utoipa::path(
    post,
    path = "/tenants",
    operation_id = "createTenant",
    tag = "tenants",
    request_body(content = CreateTenantBody, example = json!({
        "name": "Acme Corp",
        "subdomain": "acme",
        "config": { "region": "us" },
        "admin": {
            "email": "admin@acme.com",
            "username": "acmeadmin",
            "password": "ChangeMe123!",
            "firstName": "Acme",
            "lastName": "Admin"
        }
    })),
    responses((status = 201, description = "The tenant is in service", body = CreatedView, example = json!({
        "tenant": {
            "id": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "name": "Acme Corp",
            "subdomain": "acme",
            "plan": "Basic",
            "status": "Active",
            "provisioningId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "config": { "region": "us" },
            "createdAt": "2025-01-10T10:00:00.000Z"
        },
        "adminUser": {
            "id": "usr_0195c0de00007000800000000000000a",
            "email": "admin@acme.com",
            "username": "acmeadmin",
            "firstName": "Acme",
            "lastName": "Admin",
            "role": "ADMIN"
        }
    })))
)]
pub(crate) async fn create(mut call: Call) -> Answer {
    let command: CreateTenant = call.order::<CreateTenantBody>().await?.into();
    let created = call.on_hashing(move |platform| tenants::create(platform, command)).await?;
    call.note(|trace| trace.tenant = Some(created.tenant.id));
    let tenant = activation(&call, created.tenant).await?;
    let location = format!("{}/tenants/{}", call.state.prefix, tenant.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location));
    respond::json(response, &CreatedView::of(tenant, created.admin))
}

/// The tenant once it is active; a problem if it will not be, or not soon enough.
async fn activation(call: &Call, mut tenant: Tenant) -> Result<Tenant, Problem> {
    let id = tenant.id;
    let deadline = Instant::now() + call.state.settings.activation_wait;
    let mut pause = Duration::from_millis(10);
    loop {
        match &tenant.lifecycle {
            Lifecycle::Active { .. } => return Ok(tenant),
            Lifecycle::Queued { .. } | Lifecycle::Provisioning { .. } => {}
            Lifecycle::Failed { reason, .. } => {
                let detail = format!("The tenant could not be provisioned: {}", reason.message);
                return Err(unprovisioned(Code::ProvisioningFailed, detail, id)
                    .with("errorCode", reason.code.as_str()));
            }
            other => {
                let detail = format!("The tenant became {} while it was being provisioned", other.status());
                return Err(unprovisioned(Code::ProvisioningFailed, detail, id));
            }
        }
        if Instant::now() >= deadline {
            let detail = "The tenant is still being provisioned; follow its status".to_owned();
            return Err(unprovisioned(Code::ProvisioningUnfinished, detail, id));
        }
        actix_web::rt::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
        match call.on_storage::<_, StoreError>(move |platform| tenants::progress(platform, id)).await {
            Ok(Some(progress)) => tenant = progress.tenant,
            // The tenant is under way all the same; a busy moment is no reason to tell its creator otherwise.
            Ok(None) => {}
            Err(problem) if matches!(problem.code(), Code::Overloaded | Code::Unavailable) => {}
            Err(problem) => return Err(problem),
        }
    }
}

fn unprovisioned(code: Code, detail: String, id: TenantId) -> Problem {
    Problem::new(code, detail)
        .with("provisioningId", id.uuid().to_string())
        .with("statusEndpoint", status::endpoint(id))
}

documented!(CreateTenantBody, CreatedView);
