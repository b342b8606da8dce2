use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tenantry_domain::people::{Email, PasswordContext, PersonName, Username};
use tenantry_domain::tenant::{ClusterName, Lifecycle, Plan, Run, Slug, Tenant, TenantName};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{ControlTx, IdempotencyKey, PendingAdmin, Secret, StoreError};

use super::init::{InitError, InitTenant, announce, new_tenant};
use super::placement::UnknownCluster;
use crate::idempotency::{Answer, Once, once_on_platform};
use crate::notices::{self, Happening};
use crate::provisioning::Dispatch;
use crate::{Platform, Record, recorded};

/// A tenant together with its first admin.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the tenant it becomes")]
pub struct CreateTenant {
    pub name: TenantName,
    pub slug: Slug,
    pub plan: Plan,
    pub config: Option<Map<String, Value>>,
    pub admin: NewAdmin,
    /// On which server, if the operator says so.
    pub cluster: Option<ClusterName>,
}

/// The first admin.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the user it becomes")]
pub struct NewAdmin {
    pub email: Email,
    /// Made from the e-mail address where none is given.
    pub username: Option<Username>,
    pub password: Secret,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
}

/// A tenant that waits for a worker, and the admin it is going to have.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "said above")]
pub struct Created {
    pub tenant: Tenant,
    pub admin: PendingAdmin,
}

/// Why there is no new tenant.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Another tenant holds the slug.
    #[error("a tenant with slug '{0}' already exists")]
    SlugTaken(Slug),
    /// There is no such server.
    #[error(transparent)]
    UnknownCluster(UnknownCluster),
    /// The admin's password is not good enough.
    #[error("the password is not acceptable")]
    Invalid(Vec<Finding>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InitError> for CreateError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::SlugTaken(slug) => Self::SlugTaken(slug),
            InitError::UnknownCluster(error) => Self::UnknownCluster(error),
            InitError::Store(error) => Self::Store(error),
        }
    }
}

/// Creates a tenant with its first admin: the same states and steps as through `init`, confirmed at once.
/// Hashes a password, so it takes a while.
pub fn create(platform: &Platform, command: CreateTenant) -> Result<Created, CreateError> {
    let now = platform.clock.now();
    let admin = pending_admin(platform, &command)?;
    let mut dispatch = Dispatch::prepare(platform);
    let created = recorded::<_, InitError>(platform, None, |tx, record| {
        let created = begin(platform, tx, record, &command, &admin, now)?;
        dispatch.claim(tx, record, now)?;
        Ok(created)
    })?;
    tell(&created, dispatch);
    Ok(created)
}

/// The same for a request that may come again; there is a password in it, so its fingerprint has to be a keyed one. Then
/// it gets what `answer` wrote, if by then the tenant has come into service.
pub fn create_once(
    platform: &Platform,
    command: &CreateTenant,
    request: &IdempotencyKey,
    answer: impl Fn(&Created) -> Answer,
    refused: impl Fn(&CreateError) -> Option<Answer>,
) -> Result<Once<Created>, CreateError> {
    let now = platform.clock.now();
    let admin = pending_admin(platform, command)?;
    let mut dispatch = Dispatch::prepare(platform);
    let act = |tx: &mut dyn ControlTx, record: &mut Record| {
        let created = begin(platform, tx, record, command, &admin, now)?;
        dispatch.claim(tx, record, now).map_err(CreateError::Store)?;
        let answer = answer(&created);
        Ok((created, answer))
    };
    let once = once_on_platform(platform, request, None, now, act, refused)?;
    if let Once::Done(created) = &once {
        tell(created, dispatch);
    }
    Ok(once)
}

fn begin(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    command: &CreateTenant,
    admin: &PendingAdmin,
    now: DateTime<Utc>,
) -> Result<Created, InitError> {
    let token = platform.ids.random();
    let lifecycle = Lifecycle::announced(token, now);
    let lifecycle = lifecycle.clone().confirm(token, now).unwrap_or(lifecycle);
    let fields = InitTenant {
        name: command.name.clone(),
        slug: command.slug.clone(),
        plan: command.plan,
        contact_email: Some(admin.email.clone()),
        cluster: None,
    };
    let mut tenant = new_tenant(platform, fields, command.config.clone(), lifecycle, now);
    let run = Run::announced(tenant.id, 1, true, "Tenant created together with its admin", now);
    announce(platform, tx, record, &mut tenant, command.cluster.as_ref(), &run, Some(admin))?;
    tx.runs().enqueue(tenant.id, run.number, now)?;
    notices::announce(platform, tx, record, &tenant, &[Happening::Queued], now)?;
    Ok(Created { tenant, admin: admin.clone() })
}

fn tell(created: &Created, dispatch: Dispatch<'_>) {
    let Tenant { id, slug, plan, .. } = &created.tenant;
    tracing::info!("Tenant provisioning initialized. TenantId: {id}, Slug: {slug}, Plan: {plan}");
    dispatch.send(*id);
}

fn pending_admin(platform: &Platform, command: &CreateTenant) -> Result<PendingAdmin, CreateError> {
    let admin = &command.admin;
    let username = admin.username.clone().unwrap_or_else(|| Username::from_email(&admin.email));
    let context = PasswordContext {
        tenant_slug: Some(command.slug.as_str()),
        tenant_name: Some(command.name.as_str()),
        email: Some(admin.email.as_str()),
        username: Some(username.as_str()),
    };
    let pointer = Pointer::root().member("admin").member("password");
    let findings = platform.policy.passwords.check(admin.password.expose(), &context, &pointer);
    if !findings.is_empty() {
        return Err(CreateError::Invalid(findings));
    }
    Ok(PendingAdmin {
        id: platform.ids.next(),
        email: admin.email.clone(),
        username,
        first_name: admin.first_name.clone(),
        last_name: admin.last_name.clone(),
        password_hash: platform.passwords.hash(admin.password.expose()),
    })
}
