use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{
    DatabaseError, DatabaseFault, FoundDatabase, Inventory, Permit, Presence, StoreError, StoreResult,
    TenantDatabases, TenantScope, TenantStore, TenantStores as _,
};

use super::cluster::{Cluster, Clusters};
use super::making::{adopt, create, foreign, remove};
use super::report::{self, ClusterReport};
use super::server::{Right, is_in_use, presence};
use super::{logins, migrate, owned, upkeep, wait_until_gone};
use crate::owner;
use crate::pool::Shared;
use crate::registry::{OpenTenants, Registry};

/// Tenants' databases on PostgreSQL servers.
///
/// A database is copied from a prepared one under another name, and gets its login, its tag and its own name last and
/// together: whatever has a tenant's name has its tag, and lets nobody else in. PostgreSQL goes on creating a database
/// after the client has died; the lock that a tenant's database is made and unmade under therefore belongs to the very
/// connection that creates.
pub(crate) struct PostgresDatabases {
    clusters: Arc<Clusters>,
    registry: Arc<Registry>,
    shared: Shared,
}

/// How long a server may take to notice that connections were closed.
const GOODBYE: Duration = Duration::from_secs(1);

impl PostgresDatabases {
    pub(crate) fn new(clusters: Arc<Clusters>, registry: Arc<Registry>, shared: &Shared) -> Self {
        Self { clusters, registry, shared: shared.clone() }
    }

    fn own_logins(&self) -> bool {
        self.shared.settings.logins.is_some()
    }

    /// Makes what tenants' databases are copied from on each server; the servers where that failed, and why.
    pub(crate) fn prepare(&self) -> Vec<(ClusterName, DatabaseError)> {
        let prepared = self.clusters.iter().map(|cluster| (&cluster.name, cluster.prepare()));
        prepared.filter_map(|(name, done)| Some((name.clone(), done.err()?.0))).collect()
    }

    /// What there is to know about each server.
    pub(crate) fn examine(&self) -> Vec<ClusterReport> {
        self.clusters.iter().map(report::cluster).collect()
    }

    /// Drops the logins that may enter no database any more, on every server; how many there were.
    pub(crate) fn drop_orphaned_logins(&self) -> Result<usize, DatabaseError> {
        let mut dropped = 0;
        for cluster in self.clusters.iter() {
            let orphans = cluster.ask(|server| server.orphaned_logins(cluster.naming.prefix()))?;
            dropped += cluster.with(|server| logins::drop(server, &orphans))?;
        }
        Ok(dropped)
    }
}

impl TenantDatabases for PostgresDatabases {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        Ok(cluster.locked(lock_key(scope.tenant()), permit, |server| create(cluster, server, scope))?)
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        if pooled.cluster() != scope.cluster() {
            let detail = "a pooled database becomes a tenant's on the server that it is on";
            return Err(DatabaseError::new(DatabaseFault::Lasting, detail));
        }
        let _closed = self.registry.close(pooled.tenant());
        let key = lock_key(scope.tenant());
        Ok(cluster.locked(key, permit, |server| adopt(cluster, server, pooled, scope))?)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        if !self.own_logins() {
            return migrate(&self.registry, scope);
        }
        if upkeep::is_up_to_date(&self.registry, scope, self.schema()) {
            return Ok(0);
        }
        Ok(upkeep::migrate(cluster, scope)?)
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        Ok(upkeep::pending(self.clusters.of(scope)?, scope)?)
    }

    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        if !self.own_logins() {
            return Ok(());
        }
        Ok(cluster.locked(lock_key(scope.tenant()), &|| Ok(()), |server| {
            if presence(&server.look(&[scope.database().as_str()])?, scope) != Presence::Own {
                return Err(foreign().into());
            }
            cluster.ensure_group(server)?;
            let login = logins::make(cluster, scope, server.has_role(&cluster.naming.login(scope))?);
            let sql = login + &logins::admit(cluster, scope, scope.database().as_str());
            server.execute_by_right(Right::CreateRoles, &sql)
        })?)
    }

    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        if !self.own_logins() {
            return OpenTenants(Arc::clone(&self.registry)).open(scope);
        }
        let cluster = self.clusters.of(scope).map_err(|error| StoreError::Failed(Box::new(error)))?;
        owned::open(cluster.owner(scope.database().as_str()), scope, &self.shared)
    }

    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        let closed = self.registry.close(scope.tenant());
        wait_until_gone(closed.connections(), self.shared.settings.lock_timeout)?;
        let (begun, names) = (Instant::now(), [scope.database().as_str()]);
        while is_in_use(&cluster.ask(|server| server.look(&names))?, scope) && begun.elapsed() < GOODBYE {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        let cluster = self.clusters.of(scope)?;
        let _closed = self.registry.close(scope.tenant());
        Ok(cluster.locked(lock_key(scope.tenant()), permit, |server| remove(cluster, server, scope))?)
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        let found = self.clusters.of(scope)?.ask(|server| server.look(&[scope.database().as_str()]))?;
        Ok(presence(&found, scope))
    }

    fn schema(&self) -> &str {
        self.clusters.schema()
    }

    fn inventory(&self) -> Vec<Inventory> {
        let found = |cluster: &Cluster| {
            let found = cluster.ask(|server| server.look_for(cluster.naming.prefix()))?;
            let found = found.into_iter().map(|found| FoundDatabase {
                cluster: cluster.name.clone(),
                name: found.name,
                owner: found.tag.and_then(|tag| owner::of_tag(&tag)),
                ruined: found.ruined,
            });
            Ok(found.collect())
        };
        let inventory =
            |cluster: &Cluster| Inventory { cluster: cluster.name.clone(), found: found(cluster) };
        self.clusters.iter().map(inventory).collect()
    }
}

/// The advisory lock of a tenant's database.
fn lock_key(tenant: TenantId) -> i64 {
    let (high, low) = tenant.uuid().as_u64_pair();
    (high ^ low).cast_signed()
}
