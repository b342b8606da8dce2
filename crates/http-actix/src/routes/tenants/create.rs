use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::id::{TenantId, UserId};
use tenantry_domain::people::{Email, PersonName, Role, Username};
use tenantry_domain::tenant::{ClusterName, Lifecycle, Plan, Slug, Tenant, TenantName};
use tenantry_domain::timestamp;
use tenantry_ports::PendingAdmin;
use tenantry_usecases::tenants::{self, CreateTenant, NewAdmin, TenantRef};

use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::follow::Follower;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::password::TypedPassword;
use crate::routes::{provisioning, respond, status};

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
    /// On which server its database is made: only the operator may say. Where its plan belongs or there are the fewest
    /// if absent.
    #[serde(default)]
    cluster: Option<ClusterName>,
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
        ("/cluster", text::<ClusterName>),
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
            cluster: body.cluster,
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
/// is Active: at once, where a database is kept ready. If it takes too long, the answer is 503 with the `statusEndpoint` to
/// follow. Only the operator may name the `cluster` for its database.
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
    if command.cluster.is_some() {
        call.operator().await?;
    }
    let created = call.on_hashing(move |platform| tenants::create(platform, command)).await?;
    call.note(|trace| trace.tenant = Some(created.tenant.id));
    let tenant = activation(&call, created.tenant.id).await?;
    let location = format!("{}/tenants/{}", call.state.prefix, tenant.id);
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location));
    respond::json(response, &CreatedView::of(tenant, created.admin))
}

/// The tenant once it is active; a problem if it will not be, or not soon enough.
async fn activation(call: &Call, id: TenantId) -> Result<Tenant, Problem> {
    let end = Instant::now() + call.state.settings.activation_wait;
    let mut follower = Follower::of(call, id);
    loop {
        // It may have become active in the meantime, so it is looked at before it is waited for.
        let seen = follower.look(|platform, id| tenants::find(platform, &TenantRef::Id(id))).await?;
        if let Some(outcome) = seen.and_then(outcome) {
            return outcome;
        }
        if Instant::now() >= end {
            let detail = "The tenant is still being provisioned; follow its status".to_owned();
            return Err(unprovisioned(Code::ProvisioningUnfinished, detail, id));
        }
        // A server that stops lets its workers finish what they are at, so that is waited for, too.
        follower.pause(end).await;
    }
}

/// What became of the tenant; nothing yet as long as it is under way.
fn outcome(tenant: Tenant) -> Option<Result<Tenant, Problem>> {
    let failed = |detail| unprovisioned(Code::ProvisioningFailed, detail, tenant.id);
    Some(match &tenant.lifecycle {
        Lifecycle::Queued { .. } | Lifecycle::Provisioning { .. } => return None,
        Lifecycle::Active { .. } => Ok(tenant),
        Lifecycle::Failed { reason, .. } => {
            let detail = format!("The tenant could not be provisioned: {}", reason.message);
            Err(failed(detail).with("errorCode", reason.code.as_str()))
        }
        other => Err(failed(format!("The tenant became {} while it was being provisioned", other.status()))),
    })
}

fn unprovisioned(code: Code, detail: String, id: TenantId) -> Problem {
    Problem::new(code, detail)
        .with("provisioningId", id.uuid().to_string())
        .with("statusEndpoint", status::endpoint(id))
}

documented!(CreateTenantBody, CreatedView);
