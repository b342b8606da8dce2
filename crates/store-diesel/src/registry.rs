use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tenantry_domain::id::TenantId;
use tenantry_ports::{
    Access, StoreError, StoreResult, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};

use crate::ceiling::Ceiling;
use crate::connect::Target;
use crate::pool::{Borrowed, Database, Shared};

/// How often unused tenant databases are looked for.
const SWEEP: Duration = Duration::from_secs(15);

/// The tenants' databases that are open, and no more connections to them than the settings allow.
pub(crate) struct Registry {
    shared: Shared,
    ceiling: Arc<Ceiling>,
    locate: Box<dyn Fn(&TenantScope) -> Target + Send + Sync>,
    open: Mutex<HashMap<TenantId, Opened>>,
}

struct Opened {
    database: Arc<Database>,
    used: Instant,
}

impl Registry {
    /// An empty one; `locate` says where a tenant's database is.
    pub(crate) fn new(
        shared: Shared,
        locate: impl Fn(&TenantScope) -> Target + Send + Sync + 'static,
    ) -> Arc<Self> {
        let ceiling = Ceiling::new(shared.settings.all_tenant_connections);
        let registry = Arc::new(Self { shared, ceiling, locate: Box::new(locate), open: Mutex::default() });
        let swept = Arc::downgrade(&registry);
        registry.shared.threads.execute_with_dynamic_delay(SWEEP, move || {
            let registry: Arc<Self> = Weak::upgrade(&swept)?;
            registry.close_idle();
            Some(SWEEP)
        });
        registry
    }

    /// The tenant's database, opened if it is not. Makes no connection yet.
    pub(crate) fn database(&self, scope: &TenantScope) -> Arc<Database> {
        let mut open = self.lock();
        let opened = open.entry(scope.tenant()).or_insert_with(|| {
            let connections = self.shared.settings.tenant_connections;
            let ceiling = Arc::clone(&self.ceiling);
            let database = Database::new((self.locate)(scope), connections, ceiling, &self.shared);
            Opened { database: Arc::new(database), used: Instant::now() }
        });
        opened.used = Instant::now();
        Arc::clone(&opened.database)
    }

    /// Closes the tenant's database. What is returned is gone once its last connection is closed: those in use are
    /// closed when they are given back.
    pub(crate) fn close(&self, tenant: TenantId) -> Weak<()> {
        let closed = self.lock().remove(&tenant);
        closed.map_or_else(Weak::new, |opened| opened.database.alive())
    }

    /// Closes what has not been used for a while.
    fn close_idle(&self) {
        let limit = self.shared.settings.tenant_idle;
        let mut open = self.lock();
        let closed: Vec<_> = open.extract_if(|_, opened| opened.is_free() && opened.used.elapsed() >= limit).collect();
        drop(open);
        drop(closed);
    }

    /// Makes room for one more connection where there is none, by closing the database that was used longest ago.
    fn make_room(&self) {
        while self.ceiling.is_reached() {
            let mut open = self.lock();
            let free = open.iter().filter(|(_, opened)| opened.is_free() && opened.database.is_connected());
            let Some(oldest) = free.min_by_key(|(_, opened)| opened.used).map(|(tenant, _)| *tenant) else { return };
            let closed = open.remove(&oldest);
            drop(open);
            drop(closed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Nobody but the registry has it.
    fn is_free(&self) -> bool {
        Arc::strong_count(&self.database) == 1
    }
}

/// A tenant's database for as long as somebody works with it.
pub(crate) struct OpenTenant {
    registry: Arc<Registry>,
    database: Arc<Database>,
}

impl OpenTenant {
    pub(crate) fn new(registry: &Arc<Registry>, scope: &TenantScope) -> Self {
        Self { registry: Arc::clone(registry), database: registry.database(scope) }
    }

    fn make_room(&self) {
        if !self.database.has_free_connection() {
            self.registry.make_room();
        }
    }

    /// A connection of its own, for migrations.
    pub(crate) fn connection(&self) -> StoreResult<Borrowed> {
        self.make_room();
        self.database.connection()
    }

    /// The database itself.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

impl TenantStore for OpenTenant {
    fn transact(&self, access: Access, body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict) -> StoreResult<()> {
        self.make_room();
        self.database.transact(access, &mut |tx| body(tx))
    }
}

/// The registry behind its port.
pub(crate) struct Tenants(pub(crate) Arc<Registry>);

impl TenantStores for Tenants {
    fn open(&self, scope: &TenantScope) -> Result<Arc<dyn TenantStore>, StoreError> {
        Ok(Arc::new(OpenTenant::new(&self.0, scope)))
    }
}
