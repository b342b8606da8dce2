use tenantry_domain::tenant::Status;
use tenantry_ports::{
    DatabaseError, NotReady, PoolState, PooledDatabase, StoreError, StoreResult, TenantScope,
};

use super::each::each;
use crate::Platform;
use crate::tenants::{TenantRef, find};

/// A database of the fleet: a tenant's, or one of the warm pool that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The right to look after it.
    pub scope: TenantScope,
    /// The pooled database that it is, if it is nobody's yet.
    pub pooled: Option<PooledDatabase>,
    /// The schema it has, as far as anybody noted.
    pub schema: Option<String>,
}

impl Member {
    /// What people call it: the tenant's slug; the name of a database that is nobody's yet.
    pub fn name(&self) -> &str {
        match self.pooled {
            Some(_) => self.scope.database().as_str(),
            None => self.scope.slug().as_str(),
        }
    }
}

/// Why a tenant's database is not looked at.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// There is no such tenant.
    #[error("there is no tenant '{0}'")]
    NoSuchTenant(TenantRef),
    /// The tenant has no database, or none that is looked after.
    #[error("tenant '{tenant}' is {status} and has no database to migrate")]
    NotReady {
        /// Which one.
        tenant: TenantRef,
        /// Where it stands.
        status: Status,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many tenants are read at a time.
const PAGE: usize = 500;

/// No database has this schema, so that none is left out.
const NONE: &str = "";

/// Every database that is behind in schema, as far as anybody noted: tenants' in order of id, then the pool's.
pub fn behind(platform: &Platform) -> StoreResult<Vec<Member>> {
    let schema = platform.databases.schema();
    match platform.control.read(|tx| tx.tenants().anything_outdated(schema))? {
        true => with_another_schema(platform, schema),
        false => Ok(Vec::new()),
    }
}

/// Every database, in the same order.
pub fn every(platform: &Platform) -> StoreResult<Vec<Member>> {
    with_another_schema(platform, NONE)
}

fn with_another_schema(platform: &Platform, schema: &str) -> StoreResult<Vec<Member>> {
    let (mut members, mut after) = (Vec::new(), None);
    loop {
        let page = platform.control.read(|tx| tx.tenants().outdated(schema, after, PAGE))?;
        let last = page.len() < PAGE;
        after = page.last().map(|(tenant, _)| tenant.id);
        members.extend(page.into_iter().filter_map(|(tenant, schema)| {
            let scope = TenantScope::maintenance(&tenant).ok()?;
            Some(Member { scope, pooled: None, schema })
        }));
        if last {
            break;
        }
    }
    // Without a size to keep, what may be left of a pool is going to be removed.
    if platform.policy.pool_size > 0 {
        members.extend(pooled_with_another_schema(platform, schema)?);
    }
    Ok(members)
}

/// Of those that are not ready, whoever is at work on them takes care.
fn pooled_with_another_schema(
    platform: &Platform,
    schema: &str,
) -> StoreResult<impl Iterator<Item = Member>> {
    let pool = platform.control.read(|tx| tx.pool().all())?;
    Ok(pool.into_iter().filter_map(move |(pooled, state)| match state {
        PoolState::Ready { schema: own } if own != schema => {
            let scope = TenantScope::pooled(&pooled);
            Some(Member { scope, pooled: Some(pooled), schema: Some(own) })
        }
        _ => None,
    }))
}

/// This tenant's database, whatever schema it has; which one was noted is not looked up.
pub fn one(platform: &Platform, tenant: &TenantRef) -> Result<Member, FleetError> {
    let found = find(platform, tenant)?.ok_or_else(|| FleetError::NoSuchTenant(tenant.clone()))?;
    match TenantScope::maintenance(&found) {
        Ok(scope) => Ok(Member { scope, pooled: None, schema: None }),
        Err(NotReady(status)) => Err(FleetError::NotReady { tenant: tenant.clone(), status }),
    }
}

/// Looks into each database, so many at a time, each over one connection: how many migrations it lacks, in the order of
/// the members. `seen` is told of each at once, from any thread.
pub fn look(
    platform: &Platform,
    members: &[Member],
    parallel: usize,
    seen: impl Fn(&Member, &Result<usize, DatabaseError>) + Sync,
) -> Vec<Result<usize, DatabaseError>> {
    each(members, parallel, |member| {
        let lacking = platform.databases.pending(&member.scope);
        close(platform, member);
        seen(member, &lacking);
        lacking
    })
}

/// Nobody is going to use the database soon: its connection is better closed than kept.
pub(super) fn close(platform: &Platform, member: &Member) {
    if let Err(error) = platform.databases.close(&member.scope) {
        tracing::debug!("The connections to {} are left to time: {error}", member.name());
    }
}
