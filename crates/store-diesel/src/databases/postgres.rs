use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tenantry_domain::id::TenantId;
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantDatabases, TenantScope};

use super::server::{Server, has, look, presence};
use super::template::Template;
use super::{Broken, migrate, unavailable};
use crate::connect::Target;
use crate::db::Db;
use crate::error::is_disconnected;
use crate::owner;
use crate::pool::{Database, Shared};
use crate::registry::Registry;
use crate::url::PostgresUrl;

/// Tenants' databases on the server of the control database.
///
/// A database is copied from a prepared one under another name, and gets its tag and its own name last and together:
/// whatever has a tenant's name has its tag. PostgreSQL goes on creating a database after the client has died; the
/// lock that a tenant's database is made and unmade under therefore belongs to the very connection that creates.
pub(crate) struct PostgresDatabases {
    url: PostgresUrl,
    control: Arc<Database>,
    registry: Arc<Registry>,
    shared: Shared,
    template: OnceLock<Template>,
    idle: Mutex<Vec<Server>>,
}

/// How many connections are kept for the next database to be made or unmade.
const IDLE: usize = 2;

impl PostgresDatabases {
    pub(crate) fn new(
        url: PostgresUrl,
        control: Arc<Database>,
        registry: Arc<Registry>,
        shared: &Shared,
    ) -> Self {
        let (template, idle) = (OnceLock::new(), Mutex::default());
        Self { url, control, registry, shared: shared.clone(), template, idle }
    }

    /// Prepares the database that tenants' are copied from.
    pub(crate) fn prepare(&self) -> Result<(), DatabaseError> {
        let mut server = self.connect()?;
        Ok(self.template(&mut server)?.prepare(&mut server)?)
    }

    fn connect(&self) -> Result<Server, Broken> {
        Server::connect(&Target::maintenance(self.url.clone(), &self.shared.settings))
    }

    fn template(&self, server: &mut Server) -> Result<&Template, Broken> {
        if let Some(template) = self.template.get() {
            return Ok(template);
        }
        let template = Template::new(server, self.url.clone(), Arc::clone(&self.shared.settings))?;
        Ok(self.template.get_or_init(|| template))
    }

    /// Does something under the tenant's lock. After a failure the connection is closed, and the lock goes with it as
    /// soon as the server has stopped doing what it was asked to.
    fn locked<T>(
        &self,
        scope: &TenantScope,
        act: impl FnOnce(&mut Server) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let key = lock_key(scope.tenant());
        let mut server = self.lock(key)?;
        let done = act(&mut server)?;
        server.unlock(key)?;
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(server);
        }
        Ok(done)
    }

    fn lock(&self, key: i64) -> Result<Server, Broken> {
        let idle = self.idle().pop();
        if let Some(mut server) = idle {
            match server.lock(key) {
                // The server was restarted in the meantime.
                Err(error) if is_disconnected(&error) => {}
                locked => return Ok(locked.map(|()| server)?),
            }
        }
        let mut server = self.connect()?;
        server.lock(key)?;
        Ok(server)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Server>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(&self, server: &mut Server, scope: &TenantScope) -> Result<(), Broken> {
        let template = self.template(server)?;
        let (name, unfinished) = (scope.database().as_str(), unfinished(scope.tenant()));
        let found = server.look(&[name, &unfinished, template.name()])?;
        match presence(&found, scope) {
            Presence::Own => return Ok(()),
            Presence::Foreign => return Err(foreign().into()),
            Presence::Absent => {}
        }
        if has(&found, &unfinished) {
            server.drop_database(&unfinished)?;
        }
        if !has(&found, template.name()) {
            template.prepare(server)?;
        }
        // WAL_LOG does not wait for a checkpoint of the whole cluster.
        server.create(&format!(
            "CREATE DATABASE \"{unfinished}\" TEMPLATE \"{}\" STRATEGY WAL_LOG",
            template.name()
        ))?;
        let tag = owner::tag(scope.tenant());
        let named = server.execute(&format!(
            "COMMENT ON DATABASE \"{unfinished}\" IS '{tag}'; ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\""
        ));
        if named.is_err() && presence(&server.look(&[name])?, scope) == Presence::Foreign {
            server.drop_database(&unfinished)?;
            return Err(foreign().into());
        }
        Ok(named?)
    }

    fn remove(server: &mut Server, scope: &TenantScope) -> Result<(), Broken> {
        let (name, unfinished) = (scope.database().as_str(), unfinished(scope.tenant()));
        let found = server.look(&[name, &unfinished])?;
        if has(&found, &unfinished) {
            server.drop_database(&unfinished)?;
        }
        if presence(&found, scope) == Presence::Own {
            server.drop_database(name)?;
        }
        let left = server.look(&[name, &unfinished])?;
        if presence(&left, scope) == Presence::Own || has(&left, &unfinished) {
            return Err(DatabaseError::new(DatabaseFault::Passing, "the database is still there").into());
        }
        Ok(())
    }
}

impl TenantDatabases for PostgresDatabases {
    fn create(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(self.locked(scope, |server| self.create(server, scope))?)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        migrate(&self.registry, scope)
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        let _closed = self.registry.close(scope.tenant());
        Ok(self.locked(scope, |server| Self::remove(server, scope))?)
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        let names = [scope.database().as_str()];
        let found = self.control.query(|db| match db {
            Db::Postgres(postgres) => Ok(look(postgres, &names)?),
            Db::Sqlite(_) => Ok(Vec::new()),
        });
        Ok(presence(&found.map_err(unavailable)?, scope))
    }
}

/// What a tenant's database is called until it is complete. No other database is, since no name of one has a `~`.
fn unfinished(tenant: TenantId) -> String {
    format!("tenantry~new_{}", tenant.uuid().simple())
}

/// The advisory lock of a tenant's database.
fn lock_key(tenant: TenantId) -> i64 {
    let (high, low) = tenant.uuid().as_u64_pair();
    (high ^ low).cast_signed()
}

fn foreign() -> DatabaseError {
    DatabaseError::new(
        DatabaseFault::Foreign,
        "a database of the tenant's name is there and is not the tenant's",
    )
}
