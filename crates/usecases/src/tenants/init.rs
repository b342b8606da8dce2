use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{
    CONFIRMATION_WINDOW, ClusterName, DatabaseName, Home, Lifecycle, Plan, Run, Slug, Tenant, TenantName,
};
use tenantry_ports::{
    ConfirmClaims, Constraint, ControlTx, IdempotencyKey, PendingAdmin, Secret, StoreError, StoreResult,
};
use uuid::Uuid;

use super::lifecycle::let_go;
use super::placement::UnknownCluster;
use crate::idempotency::{Answer, Once, once_on_platform};
use crate::notices::{self, Happening};
use crate::{Platform, Record, recorded};

/// What a website knows of a new tenant.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the tenant it becomes")]
pub struct InitTenant {
    pub name: TenantName,
    pub slug: Slug,
    pub plan: Plan,
    pub contact_email: Option<Email>,
    /// On which server, if the operator says so.
    pub cluster: Option<ClusterName>,
}

/// A tenant that waits for its confirmation.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The new tenant; its UUID is the provisioning id.
    pub tenant: TenantId,
    /// The token that confirms it, once, within [`CONFIRMATION_WINDOW`].
    pub confirm_token: Secret,
}

/// Why there is no new tenant.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Another tenant holds the slug.
    #[error("a tenant with slug '{0}' already exists")]
    SlugTaken(Slug),
    /// There is no such server.
    #[error(transparent)]
    UnknownCluster(#[from] UnknownCluster),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Announces a tenant. Nothing is made until the token comes back.
pub fn init(platform: &Platform, command: InitTenant) -> Result<Announced, InitError> {
    let now = platform.clock.now();
    let announced = recorded(platform, None, |tx, record| begin(platform, tx, record, command, now))?;
    Ok(told(platform, announced))
}

/// The same for a request that may come again, and then gets the same token. `refused` writes the answer to a refusal
/// that is for good.
pub fn init_once(
    platform: &Platform,
    command: &InitTenant,
    request: &IdempotencyKey,
    refused: impl Fn(&InitError) -> Option<Answer>,
) -> Result<Once<Announced>, InitError> {
    let now = platform.clock.now();
    let act = |tx: &mut dyn ControlTx, record: &mut Record| {
        let announced = begin(platform, tx, record, command.clone(), now)?;
        let body = serde_json::to_vec(&announced).map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok((announced, Answer { status: 200, body }))
    };
    let once = once_on_platform(platform, request, None, now, act, refused)?;
    Ok(once.map(|announced| told(platform, announced)))
}

/// What was announced when this was kept, by [`init_once`].
pub fn announced_before(platform: &Platform, kept: &Answer) -> StoreResult<Announced> {
    let announced: Announcement =
        serde_json::from_slice(&kept.body).map_err(|error| StoreError::corrupt("stored response", error))?;
    Ok(announced.signed(platform))
}

/// What a confirmation token says. The token itself is not kept: it can be signed again.
#[derive(Serialize, Deserialize)]
struct Announcement {
    tenant: TenantId,
    slug: Slug,
    plan: Plan,
    #[serde(with = "as_number")]
    token: Uuid,
    #[serde(with = "ts_microseconds")]
    issued_at: DateTime<Utc>,
}

/// A UUID as the number it is.
mod as_number {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        id.as_u64_pair().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        let (high, low) = <(u64, u64)>::deserialize(deserializer)?;
        Ok(Uuid::from_u64_pair(high, low))
    }
}

impl Announcement {
    fn signed(&self, platform: &Platform) -> Announced {
        let confirm_token = platform.tokens.confirm(&ConfirmClaims {
            tenant: self.tenant,
            slug: self.slug.clone(),
            token: self.token,
            issued_at: self.issued_at,
            expires_at: self.issued_at + CONFIRMATION_WINDOW,
        });
        Announced { tenant: self.tenant, confirm_token }
    }
}

fn begin(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    command: InitTenant,
    now: DateTime<Utc>,
) -> Result<Announcement, InitError> {
    let token = platform.ids.random();
    let wish = command.cluster.clone();
    let mut tenant = new_tenant(platform, command, None, Lifecycle::announced(token, now), now);
    let run = Run::announced(tenant.id, 1, false, "Provisioning initialized, waiting for confirmation", now);
    announce(platform, tx, record, &mut tenant, wish.as_ref(), &run, None)?;
    notices::announce(platform, tx, record, &tenant, &[Happening::Announced], now)?;
    let Tenant { id, slug, plan, .. } = tenant;
    Ok(Announcement { tenant: id, slug, plan, token, issued_at: now })
}

fn told(platform: &Platform, announced: Announcement) -> Announced {
    tracing::info!(
        "Tenant provisioning initialized. TenantId: {}, Slug: {}, Plan: {}",
        announced.tenant,
        announced.slug,
        announced.plan
    );
    platform.nudge.notices_are_due();
    announced.signed(platform)
}

/// A tenant that has nothing yet.
pub(crate) fn new_tenant(
    platform: &Platform,
    command: InitTenant,
    config: Option<Map<String, Value>>,
    lifecycle: Lifecycle,
    now: DateTime<Utc>,
) -> Tenant {
    Tenant {
        id: TenantId::new(platform.ids.random()),
        database: DatabaseName::of(&platform.policy.database_prefix, &command.slug),
        name: command.name,
        slug: command.slug,
        plan: command.plan,
        contact_email: command.contact_email,
        home: Home::default(),
        config,
        lifecycle,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Finds the tenant a home, and stores it and its first run. A slug that is held only by somebody whose token has run out
/// is taken over.
pub(crate) fn announce(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    tenant: &mut Tenant,
    wish: Option<&ClusterName>,
    run: &Run,
    admin: Option<&PendingAdmin>,
) -> Result<(), InitError> {
    let now = tenant.created_at;
    if let Some(holder) = tx.tenants().holding(&tenant.slug)?
        && !let_go(platform, tx, record, holder, now)?
    {
        return Err(InitError::SlugTaken(tenant.slug.clone()));
    }
    tenant.home.cluster = platform.policy.placement.choose(tx, tenant.plan, wish)??;
    tx.tenants().insert(tenant).map_err(|error| match error {
        StoreError::Conflict(Constraint::TenantSlug) => InitError::SlugTaken(tenant.slug.clone()),
        other => other.into(),
    })?;
    Ok(tx.runs().insert(run, admin)?)
}
