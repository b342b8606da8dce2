//! A new tenant from an archive: [`begin`], then a worker provisions it like any other, then [`complete`].
//!
//! Between the two the tenant's `config` says which archive it waits for, and what was provisioned is suspended from the
//! beginning: it serves nobody until it holds the whole archive. Whatever is interrupted is carried on by importing the
//! same archive under the same slug again: the tenant is found by that mark, and its database either is as it was seeded or
//! holds the whole archive.

use std::io::{self, BufRead};

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, InvalidTransition, Lifecycle, Run, Slug, Status, Tenant};
use tenantry_ports::{NotReady, StoreError, TenantScope};

use super::load::load;
use super::verify::Verified;
use crate::notices::{self, Happening};
use crate::tenants::{self, ChangeError, InitError, InitTenant, Target, UnknownCluster};
use crate::{Platform, days, recorded};

/// What is to be different from what the archive says.
#[derive(Debug, Clone, Default)]
pub struct ImportTenant {
    /// Another slug.
    pub slug: Option<Slug>,
    /// On which server.
    pub cluster: Option<ClusterName>,
}

/// Why there is no tenant with what the archive holds.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Another tenant holds the slug.
    #[error("a tenant with slug '{0}' already exists")]
    SlugTaken(Slug),
    /// There is no such server.
    #[error(transparent)]
    UnknownCluster(UnknownCluster),
    /// The tenant does not wait for this archive (any more).
    #[error("the tenant does not wait for this archive")]
    NotWaiting,
    /// The tenant's state does not allow it.
    #[error("the tenant is {0}")]
    NotReady(Status),
    /// Somebody has used the tenant before the archive was in it.
    #[error("the tenant was used before the archive was loaded")]
    InUse,
    /// The archive is no longer what was verified.
    #[error("the archive was changed while it was imported")]
    Changed,
    /// The archive cannot be read (any more).
    #[error("the archive cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// Whether importing the same archive again, with what was made so far, may succeed.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable(_) | StoreError::Stale))
    }
}

impl From<InitError> for ImportError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::SlugTaken(slug) => Self::SlugTaken(slug),
            InitError::UnknownCluster(error) => Self::UnknownCluster(error),
            InitError::Store(error) => Self::Store(error),
        }
    }
}

impl From<NotReady> for ImportError {
    fn from(NotReady(status): NotReady) -> Self {
        Self::NotReady(status)
    }
}

impl From<InvalidTransition> for ImportError {
    fn from(error: InvalidTransition) -> Self {
        Self::NotReady(error.from)
    }
}

impl From<ChangeError> for ImportError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NoSuchTenant => Self::NotWaiting,
            ChangeError::Stale => Self::Store(StoreError::Stale),
            ChangeError::Refused(error) => error.into(),
            ChangeError::SlugTaken(slug) => Self::SlugTaken(slug),
            ChangeError::Store(error) => Self::Store(error),
        }
    }
}

/// Has a tenant provisioned that the archive is going to be loaded into; or finds the one that an interrupted import of
/// the same archive left.
///
/// Its contact is told nothing before the tenant is complete, so until then it has none.
pub fn begin(platform: &Platform, archive: &Verified, wish: ImportTenant) -> Result<TenantId, ImportError> {
    let now = platform.clock.now();
    let facts = &archive.head.tenant;
    let token = platform.ids.random();
    let lifecycle = Lifecycle::announced(token, now).confirm(token, now)?;
    let fields = InitTenant {
        name: facts.name.clone(),
        slug: wish.slug.unwrap_or_else(|| facts.slug.clone()),
        plan: facts.plan,
        contact_email: None,
        cluster: None,
    };
    let mut tenant = tenants::new_tenant(platform, fields, Some(mark(archive)), lifecycle, now);
    let run = Run::announced(tenant.id, 1, false, "Tenant imported from an archive", now);
    let id = recorded::<_, ImportError>(platform, None, |tx, record| {
        if let Some(holder) = tx.tenants().holding(&tenant.slug)?
            && waits_for(&holder, archive)
        {
            return Ok(holder.id);
        }
        tenants::announce(platform, tx, record, &mut tenant, wish.cluster.as_ref(), &run, None)?;
        tx.runs().enqueue(tenant.id, run.number, now)?;
        notices::announce(platform, tx, record, &tenant, &[Happening::Queued], now)?;
        Ok(tenant.id)
    })?;
    tracing::info!("Tenant {id} is imported from the archive of {} ({})", facts.id, facts.slug);
    platform.nudge.runs_are_due();
    platform.nudge.notices_are_due();
    Ok(id)
}

/// Loads the archive into the provisioned tenant, which is suspended (if somebody has let it work, again), and lets it work.
///
/// `input` is the archive from its beginning: what is read now has to be what was verified.
pub fn complete(
    platform: &Platform,
    id: TenantId,
    archive: &Verified,
    input: impl BufRead,
) -> Result<Tenant, ImportError> {
    let found = platform.control.read(|tx| tx.tenants().get(id))?;
    let found = found.filter(|tenant| waits_for(tenant, archive)).ok_or(ImportError::NotWaiting)?;
    let tenant = match found.lifecycle {
        Lifecycle::Active { .. } => tenants::suspend(platform, of(&found))?,
        Lifecycle::Suspended { .. } => found,
        ref other => return Err(ImportError::NotReady(other.status())),
    };
    let scope = TenantScope::maintenance(&tenant)?;
    load(platform, &scope, archive, input)?;
    days::after_import(platform, &scope)?;
    release(platform, tenant, archive)
}

/// The tenant is whole: it gets what the archive says of it, and works.
fn release(platform: &Platform, mut tenant: Tenant, archive: &Verified) -> Result<Tenant, ImportError> {
    let now = platform.clock.now();
    let facts = &archive.head.tenant;
    tenant.config = facts.config.clone();
    tenant.contact_email = facts.contact_email.clone();
    let resumed = tenant.lifecycle.clone().resume(now)?;
    tenant.enter(resumed, now);
    recorded::<_, StoreError>(platform, None, |tx, record| {
        tx.tenants().update(&tenant)?;
        notices::announce(platform, tx, record, &tenant, &[Happening::Activated], now)
    })?;
    platform.nudge.tenant_changed(tenant.id);
    platform.nudge.notices_are_due();
    tracing::info!("Tenant {} ({}) is imported", tenant.id, tenant.slug);
    Ok(tenant)
}

/// Has a tenant that could not be completed dropped, at once.
pub fn abandon(platform: &Platform, id: TenantId) -> Result<Tenant, ChangeError> {
    let waits = platform.control.read(|tx| tx.tenants().get(id))?.filter(|tenant| mark_of(tenant).is_some());
    let tenant = waits.ok_or(ChangeError::NoSuchTenant)?;
    tenants::deprovision(platform, of(&tenant), Some(TimeDelta::zero()))
}

fn of(tenant: &Tenant) -> Target<'static> {
    Target { tenant: tenant.id, version: Some(tenant.version), by: "import" }
}

/// The member of `config` that names the archive a tenant waits for.
const MARK: &str = "tenantry:import";

fn mark(archive: &Verified) -> Map<String, Value> {
    let mark = json!({ MARK: archive.trailer.sha256 });
    mark.as_object().cloned().unwrap_or_default()
}

fn mark_of(tenant: &Tenant) -> Option<&str> {
    tenant.config.as_ref()?.get(MARK)?.as_str()
}

/// Whether the tenant waits for an archive, and must not serve anybody before it holds that.
pub(crate) fn waits(tenant: &Tenant) -> bool {
    mark_of(tenant).is_some()
}

/// Only while it is on its way to what the archive says: a tenant that is going does not come back by itself.
fn waits_for(tenant: &Tenant, archive: &Verified) -> bool {
    let on_its_way = matches!(
        tenant.lifecycle,
        Lifecycle::Queued { .. }
            | Lifecycle::Provisioning { .. }
            | Lifecycle::Active { .. }
            | Lifecycle::Suspended { .. }
    );
    on_its_way && mark_of(tenant) == Some(archive.trailer.sha256.as_str())
}
