//! Who is calling, and what they may do.

use std::collections::BTreeSet;

use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::{AccessClaims, NotReady, Scope, StoreResult, TenantScope};

use crate::{Platform, machine_tokens};

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The platform operator.
    Operator {
        /// With which key; none for the one from the settings.
        key: Option<ApiKeyId>,
    },
    /// A tenant's machine.
    Machine {
        /// Whose.
        tenant: TenantId,
        /// With which key.
        key: ApiKeyId,
        /// What the key may do.
        scopes: BTreeSet<Scope>,
    },
    /// Somebody who signed in to a tenant.
    Person(AccessClaims),
}

impl Principal {
    /// The caller as audit trails name it: an id, or `operator`.
    pub fn actor(&self) -> String {
        match self {
            Self::Operator { key: Some(key) } | Self::Machine { key, .. } => key.to_string(),
            Self::Operator { key: None } => "operator".to_owned(),
            Self::Person(claims) => claims.user.to_string(),
        }
    }

    /// The tenant the caller belongs to; none for the operator.
    pub const fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Operator { .. } => None,
            Self::Machine { tenant, .. } => Some(*tenant),
            Self::Person(claims) => Some(claims.tenant),
        }
    }
}

/// Whether this may be somebody's credential: it has the form of an API key or of a machine's token, or is a person's token.
/// Whose, and whether it works still, takes a look-up; what was made up takes none.
pub fn needs_look_up(platform: &Platform, credential: &str) -> bool {
    platform.keys.parse(credential).is_some()
        || platform.machine_tokens.kid(credential).is_some()
        || platform.tokens.check_access(credential, platform.clock.now()).is_ok()
}

/// Finds out who presents this credential: an API key or a machine's access token (one look-up each), or the access token of
/// a person whose session goes on (one in either database). `None` if it is neither, or does not work (any more).
pub fn authenticate(platform: &Platform, credential: &str) -> StoreResult<Option<Principal>> {
    let now = platform.clock.now();
    let Some(presented) = platform.keys.parse(credential) else {
        if let Some(kid) = platform.machine_tokens.kid(credential) {
            return machine_tokens::authenticate(platform, credential, &kid, now);
        }
        let claims = platform.tokens.check_access(credential, now).ok();
        return Ok(claims.map(|claims| bearer(platform, claims)).transpose()?.flatten());
    };
    let record = platform.control.read(|tx| tx.api_keys().find(&presented.lookup))?;
    let live = record.filter(|key| platform.keys.matches(&presented.hash, &key.hash) && key.is_live(now));
    if let Some(key) = &live {
        platform.key_uses.note(key.id);
    }
    Ok(live.map(|key| match key.tenant {
        None => Principal::Operator { key: Some(key.id) },
        Some(tenant) => Principal::Machine { tenant, key: key.id, scopes: key.scopes },
    }))
}

/// Who has this token, with the role that they have by now; nobody if they were signed out since.
fn bearer(platform: &Platform, claims: AccessClaims) -> StoreResult<Option<Principal>> {
    let tenant = platform.control.read(|tx| tx.tenants().get(claims.tenant))?;
    let Some(scope) = tenant.and_then(|tenant| TenantScope::serving(&tenant).ok()) else {
        // Of a tenant out of service nobody is told more than that.
        return Ok(Some(Principal::Person(claims)));
    };
    let bearer = platform.stores.open(&scope)?.read(|tx| tx.sessions().bearer(claims.session))?;
    let bearer = bearer.filter(|bearer| bearer.user == claims.user);
    Ok(bearer.map(|bearer| Principal::Person(AccessClaims { role: bearer.role, ..claims })))
}

/// What an operation on a tenant's data asks of its caller. The operator may do everything, but is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A machine with this scope, or an admin of the tenant.
    Scope(Scope),
    /// An admin of the tenant.
    Admin,
    /// An admin or a user of the tenant: its own people, and no vendor.
    Staff,
    /// Somebody who is signed in to the tenant, whatever their role: it is about themselves.
    Person,
}

/// Why a caller may not do what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The tenant named is not the caller's own, or there is no such tenant: which, is not told.
    #[error("the credential does not belong to this tenant")]
    OtherTenant,
    /// Only for the operator, who learns it: there is no such tenant.
    #[error("there is no such tenant")]
    NoSuchTenant,
    /// The key lacks this scope.
    #[error("the key lacks the scope {0}")]
    MissingScope(Scope),
    /// The person's role does not allow it.
    #[error("the role does not allow it")]
    MissingRole,
    /// It is for the tenant's own people, and the caller is none of them.
    #[error("the caller is none of the tenant's own people")]
    NotStaff,
    /// It is about the caller as a person, and the caller is none.
    #[error("the caller is no person")]
    NotAPerson,
    /// The tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// The tenant is not in service yet, but on its way: waiting helps.
    #[error("the tenant is {0}")]
    NotReady(Status),
    /// The tenant's provisioning failed: it waits for the operator.
    #[error("the tenant's provisioning failed")]
    Failed,
    /// The tenant was told to go.
    #[error("the tenant is being deprovisioned")]
    Leaving,
}

/// Decides whether `caller` may do something that needs `need` to the data of `tenant` (none: there is no tenant of the
/// name given), and gives the scope to do it in.
pub fn authorize(caller: &Principal, tenant: Option<&Tenant>, need: Need) -> Result<TenantScope, Denied> {
    let tenant = admit(caller, tenant, need)?;
    in_service(caller, tenant)?;
    TenantScope::serving(tenant).map_err(|NotReady(status)| Denied::NotReady(status))
}

/// As [`authorize`], for what does not touch the tenant's own database and so works for the operator whatever state the
/// tenant is in. The tenant's own calls are answered only while it is in service.
pub fn admit<'a>(caller: &Principal, tenant: Option<&'a Tenant>, need: Need) -> Result<&'a Tenant, Denied> {
    let tenant = match (caller.tenant(), tenant) {
        (None, None) => return Err(Denied::NoSuchTenant),
        (None, Some(tenant)) => tenant,
        (Some(own), Some(tenant)) if own == tenant.id => tenant,
        (Some(_), _) => return Err(Denied::OtherTenant),
    };
    match (caller, need) {
        (Principal::Operator { .. } | Principal::Machine { .. }, Need::Person) => {
            return Err(Denied::NotAPerson);
        }
        (Principal::Operator { .. }, _) => return Ok(tenant),
        (Principal::Person(_), Need::Person) => {}
        (Principal::Machine { scopes, .. }, Need::Scope(scope)) if scopes.contains(&scope) => {}
        (Principal::Machine { .. }, Need::Scope(scope)) => return Err(Denied::MissingScope(scope)),
        (Principal::Person(claims), _) if claims.role == Role::Admin => {}
        (Principal::Person(claims), Need::Staff) if claims.role == Role::User => {}
        (_, Need::Staff) => return Err(Denied::NotStaff),
        (Principal::Person(_) | Principal::Machine { .. }, _) => return Err(Denied::MissingRole),
    }
    in_service(caller, tenant)?;
    Ok(tenant)
}

/// What is not there (any more) looks to everybody like what never was.
fn in_service(caller: &Principal, tenant: &Tenant) -> Result<(), Denied> {
    match tenant.lifecycle.status() {
        Status::Active => Ok(()),
        Status::Suspended => Err(Denied::Suspended),
        status @ (Status::PendingValidation | Status::Queued | Status::Provisioning) => {
            Err(Denied::NotReady(status))
        }
        Status::Failed => Err(Denied::Failed),
        Status::Deprovisioning => Err(Denied::Leaving),
        Status::Expired | Status::Deleted if caller.tenant().is_none() => Err(Denied::NoSuchTenant),
        Status::Expired | Status::Deleted => Err(Denied::OtherTenant),
    }
}
