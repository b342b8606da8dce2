use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::id::{TenantId, UserId};
use tenantry_domain::people::{Email, PersonName, Role, Username};
use tenantry_domain::tenant::{ClusterName, Lifecycle, Plan, Slug, Status, Tenant, TenantName};
use tenantry_domain::timestamp;
use tenantry_usecases::idempotency::{self as kept, Once};
use tenantry_usecases::tenants::{self, CreateError, CreateTenant, Created, NewAdmin, TenantRef};

use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::follow::Follower;
use crate::idempotency;
use crate::openapi::documented;
use crate::problem::{Code, Internal, Problem};
use crate::routes::password::TypedPassword;
use crate::routes::{provisioning, status};

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
    /// As it is going to be answered, once the tenant is in service.
    fn of(Created { tenant, admin }: Created) -> Self {
        Self {
            tenant: CreatedTenant {
                status: Status::Active.as_str(),
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
///
/// Send an `Idempotency-Key` (or `requestId`): a repeated request then gets the first answer, with `Idempotent-Replayed: true`,
/// even if nobody ever received it; while the tenant is under way, it is answered with 409 and `Retry-After`.
#[utoipa::path(
    post,
    path = "/tenants",
    operation_id = "createTenant",
    tag = "tenants",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
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
    responses((status = 201, description = "The tenant is in service", body = CreatedView, headers(
        ("Location" = String, description = "The tenant"),
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    ), example = json!({
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
    let received = call.order::<CreateTenantBody>().await?;
    let request = call.order_idempotency("createTenant", &received.bytes)?;
    let command: CreateTenant = received.value.into();
    if command.cluster.is_some() {
        call.operator().await?;
    }
    let refusals = call.refusals();
    let once = call.on_hashing::<_, CreateError>(move |platform| match request {
        None => Ok(Once::Done(tenants::create(platform, command)?)),
        Some(request) => {
            let refused = |refusal: &CreateError| refusals.kept(&refusal.into());
            tenants::create_once(platform, &command, &request, answer, refused)
        }
    });
    match once.await? {
        Once::Done(created) => {
            let id = created.tenant.id;
            call.note(|trace| trace.tenant = Some(id));
            activation(&call, id).await?;
            created_response(&call, answer(&created), id, false)
        }
        Once::Before(kept) if kept.status == StatusCode::CREATED => {
            let id = tenant_in(&kept.body).ok_or_else(|| Problem::from(Internal).because("no tenant"))?;
            call.note(|trace| trace.tenant = Some(id));
            settled(&call, id).await?;
            created_response(&call, kept, id, true)
        }
        Once::Before(refusal) => Ok(idempotency::answer(refusal, true)),
        Once::Refused(refusal) => Ok(idempotency::answer(refusal, false)),
        Once::KeyReused => Err(Problem::plain(Code::IdempotencyKeyReused)),
    }
}

fn answer(created: &Created) -> kept::Answer {
    // Texts and times always serialise.
    let body = serde_json::to_vec(&CreatedView::of(created.clone())).unwrap_or_default();
    kept::Answer { status: StatusCode::CREATED.as_u16(), body }
}

fn created_response(call: &Call, answer: kept::Answer, id: TenantId, replayed: bool) -> Answer {
    let location = format!("{}/tenants/{id}", call.state.prefix);
    let mut response = idempotency::respond(&answer, replayed);
    response.insert_header((header::LOCATION, location));
    Ok(response.body(answer.body))
}

/// The tenant that an answer is about.
fn tenant_in(body: &[u8]) -> Option<TenantId> {
    #[derive(Deserialize)]
    struct Created {
        tenant: Named,
    }
    #[derive(Deserialize)]
    struct Named {
        id: TenantId,
    }
    serde_json::from_slice::<Created>(body).ok().map(|created| created.tenant.id)
}

/// Whether the tenant that was ordered before has come into service; a problem if it has not.
async fn settled(call: &Call, id: TenantId) -> Result<(), Problem> {
    let found = call.on_storage(move |platform| tenants::find(platform, &TenantRef::Id(id))).await?;
    let gone = || Problem::from(Internal).because("a tenant that was created is not there");
    let tenant = found.ok_or_else(gone)?;
    match &tenant.lifecycle {
        Lifecycle::Queued { .. } | Lifecycle::Provisioning { .. } => {
            Err(Problem::plain(Code::IdempotencyInProgress)
                .with("provisioningId", id.uuid().to_string())
                .with("statusEndpoint", status::endpoint(id))
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")))
        }
        // What it is by now, after it came into service, is another matter.
        Lifecycle::Failed { .. } => outcome(tenant).map_or(Ok(()), |outcome| outcome.map(drop)),
        _ => Ok(()),
    }
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
