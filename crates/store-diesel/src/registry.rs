use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tenantry_domain::id::TenantId;
use tenantry_ports::{
    Access, StoreError, StoreResult, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};

use crate::ceiling::{Ceiling, Permit};
use crate::connect::{ConnectError, Target};
use crate::connector::{Connector, Need, Source};
use crate::pool::{Database, Shared};

/// How often unused tenant databases are looked for.
const SWEEP: Duration = Duration::from_secs(15);

/// Says where a tenant's database is.
type Locate = Box<dyn Fn(&TenantScope) -> StoreResult<Target> + Send + Sync>;

/// The tenants' databases that are open, and no more connections to them than the settings allow.
pub(crate) struct Registry {
    shared: Shared,
    ceiling: Arc<Ceiling>,
    locate: Locate,
    tenants: Mutex<Tenants>,
}

#[derive(Default)]
struct Tenants {
    open: HashMap<TenantId, Opened>,
    /// Those whose databases must not be opened, because they are about to go, and on how many accounts.
    closed: HashMap<TenantId, usize>,
}

struct Opened {
    database: Arc<Database>,
    used: Instant,
}

impl Registry {
    /// An empty one; `locate` says where a tenant's database is.
    pub(crate) fn new(
        shared: Shared,
        locate: impl Fn(&TenantScope) -> StoreResult<Target> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let ceiling = Ceiling::new(shared.settings.all_tenant_connections);
        let registry =
            Arc::new(Self { shared, ceiling, locate: Box::new(locate), tenants: Mutex::default() });
        let swept = Arc::downgrade(&registry);
        registry.shared.threads.execute_with_dynamic_delay(SWEEP, move || {
            let registry: Arc<Self> = Weak::upgrade(&swept)?;
            registry.close_idle();
            Some(SWEEP)
        });
        registry
    }

    /// The tenant's database, with room for a connection. One that is not open yet is connected to, which shows
    /// whether it is there and the tenant's.
    pub(crate) fn database(self: &Arc<Self>, scope: &TenantScope) -> StoreResult<Arc<Database>> {
        if let Some(database) = self.lock().find(scope.tenant())? {
            return Ok(database);
        }
        let (target, registry) = ((self.locate)(scope)?, Arc::downgrade(self));
        let permits = Box::new(move |need| Weak::upgrade(&registry)?.permit(need));
        let connector = Connector::new(target, Some(scope.tenant()), permits);
        let unavailable = |error: ConnectError| StoreError::Unavailable(error.to_string());
        connector.probe(self.wait_for_permit()?).map_err(unavailable)?;
        let database = Database::new(connector, self.shared.settings.tenant_connections, &self.shared);
        self.lock().add(scope.tenant(), database)
    }

    /// Closes the tenant's database, and keeps it closed until what is returned is dropped.
    pub(crate) fn close(self: &Arc<Self>, tenant: TenantId) -> Closed {
        let mut tenants = self.lock();
        *tenants.closed.entry(tenant).or_default() += 1;
        let opened = tenants.open.remove(&tenant);
        drop(tenants);
        let connections = opened.map_or_else(Weak::new, |opened| opened.database.source());
        Closed { registry: Arc::clone(self), tenant, connections }
    }

    /// Closes what has not been used for a while.
    fn close_idle(&self) {
        let limit = self.shared.settings.tenant_idle;
        let unused = |opened: &Opened| opened.is_free() && opened.used.elapsed() >= limit;
        let closed: Vec<_> = self.lock().open.extract_if(|_, opened| unused(opened)).collect();
        drop(closed);
    }

    /// The right to one more connection, for which others' are closed if need be; none if all are in use.
    fn permit(&self, need: Need) -> Option<Permit> {
        loop {
            if let Some(permit) = self.ceiling.permit() {
                return Some(permit);
            }
            if !self.make_room(need) {
                return None;
            }
        }
    }

    /// The same, and waits where everybody is busy; no longer than for a connection. What becomes free meanwhile may go to
    /// somebody else.
    fn wait_for_permit(&self) -> StoreResult<Permit> {
        let begun = Instant::now();
        loop {
            if let Some(permit) = self.permit(Need::First) {
                return Ok(permit);
            }
            if begun.elapsed() >= self.shared.settings.connect_timeout {
                let limit = self.ceiling.limit();
                let text = format!("all {limit} connections that tenants' databases may have are in use");
                return Err(StoreError::Unavailable(text));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Closes the database that was used longest ago, of those nobody works with; where there is none, and it is needed that
    /// much, a single connection that happens to be idle: else those who are always at work would keep all others out. False
    /// if nothing was closed.
    fn make_room(&self, need: Need) -> bool {
        // Both are dropped after the lock is given back, for which everybody waits.
        let oldest = self.lock().remove_oldest();
        if oldest.is_some() || need == Need::Another {
            return oldest.is_some();
        }
        let busy = self.lock().by_age();
        busy.iter().any(|database| database.shed())
    }

    fn lock(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenants {
    fn find(&mut self, tenant: TenantId) -> StoreResult<Option<Arc<Database>>> {
        if self.closed.contains_key(&tenant) {
            return Err(StoreError::Unavailable("the tenant's database is about to go".to_owned()));
        }
        Ok(self.open.get_mut(&tenant).map(Opened::used))
    }

    /// Adds a database, unless another one was faster.
    fn add(&mut self, tenant: TenantId, database: Database) -> StoreResult<Arc<Database>> {
        if let Some(faster) = self.find(tenant)? {
            return Ok(faster);
        }
        let opened = Opened { database: Arc::new(database), used: Instant::now() };
        Ok(self.open.entry(tenant).insert_entry(opened).get_mut().used())
    }

    /// Those that are open, the one used longest ago first.
    fn by_age(&self) -> Vec<Arc<Database>> {
        let mut opened: Vec<_> = self.open.values().collect();
        opened.sort_unstable_by_key(|opened| opened.used);
        opened.into_iter().map(|opened| Arc::clone(&opened.database)).collect()
    }

    fn remove_oldest(&mut self) -> Option<Opened> {
        let free = self.open.iter().filter(|(_, opened)| opened.is_free() && opened.database.is_connected());
        let oldest = free.min_by_key(|(_, opened)| opened.used).map(|(tenant, _)| *tenant)?;
        self.open.remove(&oldest)
    }
}

impl Opened {
    fn used(&mut self) -> Arc<Database> {
        self.used = Instant::now();
        Arc::clone(&self.database)
    }

    /// Nobody works with it.
    fn is_free(&self) -> bool {
        Arc::strong_count(&self.database) == 1
    }
}

/// A tenant whose database is not opened again until this is dropped.
pub(crate) struct Closed {
    registry: Arc<Registry>,
    tenant: TenantId,
    connections: Weak<Source>,
}

impl Closed {
    /// Gone once the last connection is closed: those in use are when they are given back.
    pub(crate) const fn connections(&self) -> &Weak<Source> {
        &self.connections
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        if let Entry::Occupied(mut accounts) = self.registry.lock().closed.entry(self.tenant) {
            *accounts.get_mut() -= 1;
            if *accounts.get() == 0 {
                accounts.remove();
            }
        }
    }
}

/// The registry behind its port.
pub(crate) struct OpenTenants(pub(crate) Arc<Registry>);

/// A tenant's database behind its port. Holds nothing open: whoever keeps it keeps nobody else from their connections.
struct OpenTenant {
    registry: Arc<Registry>,
    scope: TenantScope,
}

impl TenantStores for OpenTenants {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        self.0.database(scope)?;
        Ok(Arc::new(OpenTenant { registry: Arc::clone(&self.0), scope: scope.clone() }))
    }
}

impl TenantStore for OpenTenant {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        self.registry.database(&self.scope)?.transact(access, &mut |tx| body(tx))
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::tenant::Settings;

    use super::*;
    use crate::testing;

    #[test]
    fn what_nobody_uses_is_closed_and_opened_again_when_it_is_used() {
        for place in testing::both_with(|settings| settings.tenant_idle = Duration::ZERO) {
            let (registry, store) = (place.stores.registry(), place.store());
            for _ in 0..2 {
                store.write(|tx| tx.settings().put(&Settings::default())).unwrap();
                assert_eq!((registry.lock().open.len(), registry.ceiling.open()), (1, 1));
                registry.close_idle();
                assert!(registry.lock().open.is_empty());
                // A thread of the pool's may hold it for another moment.
                let begun = Instant::now();
                while registry.ceiling.open() > 0 {
                    assert!(begun.elapsed() < Duration::from_secs(10), "it stays open");
                    std::thread::yield_now();
                }
            }
        }
    }

    /// So many tenants on a server that allows so few connections, used by two threads each at once, again and again. None is
    /// refused, although all of them are always at work, and no more connections are open than may be.
    #[test]
    fn many_tenants_at_work_share_few_connections() {
        const TENANTS: usize = 12;
        for place in testing::both_with(|settings| settings.all_tenant_connections = 4) {
            let registry = place.stores.registry();
            let stores: Vec<_> = (0..TENANTS).map(|i| place.another(&format!("tenant-{i}"))).collect();
            std::thread::scope(|threads| {
                for store in stores.iter().chain(&stores) {
                    threads.spawn(|| {
                        for _ in 0..10 {
                            store.write(|tx| tx.settings().put(&Settings::default())).unwrap();
                            assert!(registry.ceiling.open() <= 4);
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn a_database_that_was_opened_and_never_used_makes_room_for_others() {
        let place = testing::sqlite_with(|settings| settings.all_tenant_connections = 1);
        let [first, second] = ["first", "second"].map(|slug| place.another(slug));
        for _ in 0..3 {
            first.read(|tx| tx.settings().get()).unwrap();
            second.read(|tx| tx.settings().get()).unwrap();
        }
    }

    #[test]
    fn who_is_always_at_work_gives_an_idle_connection_to_who_has_none() {
        let place = testing::sqlite_with(|settings| settings.all_tenant_connections = 2);
        let (busy, other) = (place.store(), place.another("other"));
        busy.read(|_| {
            // Two connections, of which one is idle afterwards.
            busy.read(|tx| tx.settings().get())?;
            assert_eq!(place.stores.registry().ceiling.open(), 2);
            other.read(|tx| tx.settings().get())
        })
        .unwrap();
    }

    #[test]
    fn what_is_in_use_or_was_just_used_stays_open() {
        let place = testing::sqlite();
        let (registry, store) = (place.stores.registry(), place.store());
        registry.close_idle();
        assert_eq!(registry.lock().open.len(), 1, "just used");
        store
            .read(|tx| {
                registry.lock().open.values_mut().for_each(|opened| assert!(!opened.is_free()));
                tx.settings().get()
            })
            .unwrap();
    }

    #[test]
    fn what_is_closed_for_good_is_not_opened_until_that_is_over() {
        let place = testing::sqlite();
        let (registry, store) = (place.stores.registry(), place.store());
        let (closed, twice) = (registry.close(place.scope.tenant()), registry.close(place.scope.tenant()));
        assert_eq!(closed.connections().strong_count(), 0);
        for closed in [closed, twice] {
            assert!(matches!(store.read(|tx| tx.settings().get()), Err(StoreError::Unavailable(_))));
            drop(closed);
        }
        store.read(|tx| tx.settings().get()).unwrap();
    }
}
