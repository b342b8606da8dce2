//! The PostgreSQL servers that tenants' databases are on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use diesel::QueryResult;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{DatabaseError, DatabaseFault, Permit, TenantScope};

use super::faults::Broken;
use super::server::{Right, Server};
use super::template::Template;
use super::{permitted, rights};
use crate::StoreSettings;
use crate::connect::Target;
use crate::error::is_disconnected;
use crate::migrations;
use crate::naming::Naming;
use crate::url::PostgresUrl;

/// How many connections to each server are kept for the next database to be made or unmade. There are as many as were
/// needed at once so far, and no more than this.
const IDLE: usize = 8;

/// All of them.
pub(crate) struct Clusters {
    by_name: BTreeMap<ClusterName, Cluster>,
    schema: String,
}

/// One of them.
pub(crate) struct Cluster {
    pub(super) name: ClusterName,
    pub(super) naming: Naming,
    pub(super) settings: Arc<StoreSettings>,
    /// What the tenant schema is called.
    pub(super) schema: String,
    url: PostgresUrl,
    template: OnceLock<Template>,
    idle: Mutex<Vec<Server>>,
}

impl Clusters {
    /// The server of the control database, and the settings' others.
    pub(crate) fn new(main: &PostgresUrl, settings: &Arc<StoreSettings>) -> Self {
        // Without logins of their own tenants have every right.
        let rights = settings.logins.as_ref().map_or_else(String::new, |_| rights::text());
        let schema = migrations::tenant_schema_of_servers(&rights);
        let main = (ClusterName::default(), main.clone());
        let others = settings.clusters.iter().map(|(name, url)| (name.clone(), url.clone()));
        let cluster = |(name, url): (ClusterName, PostgresUrl)| {
            let cluster = Cluster {
                name: name.clone(),
                naming: Naming::new(settings),
                settings: Arc::clone(settings),
                schema: schema.clone(),
                url,
                template: OnceLock::new(),
                idle: Mutex::default(),
            };
            (name, cluster)
        };
        Self { by_name: others.chain([main]).map(cluster).collect(), schema }
    }

    /// What the tenant schema is called on all of them.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The one that the scope's database is on.
    pub(crate) fn of(&self, scope: &TenantScope) -> Result<&Cluster, DatabaseError> {
        let name = scope.cluster();
        self.by_name.get(name).ok_or_else(|| {
            let detail = format!(
                "the settings know no server '{name}': add [tenant_databases.clusters.{name}] with its url"
            );
            DatabaseError::new(DatabaseFault::Lasting, detail)
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cluster> {
        self.by_name.values()
    }
}

impl Cluster {
    /// Whether this is the server that the control database is on.
    pub(super) fn has_control(&self) -> bool {
        self.name == ClusterName::default()
    }

    /// The scope's database, entered as whom it was made for.
    pub(crate) fn tenant(&self, scope: &TenantScope) -> Target {
        let url = self.url.with_database(scope.database().as_str());
        let Some(passwords) = &self.settings.logins else {
            return Target::tenant([url], &self.settings);
        };
        let login = self.naming.login(scope);
        let urls = passwords.all(scope.login()).map(|password| url.with_login(&login, &password));
        Target::tenant(urls, &self.settings)
    }

    /// A database of this server, entered as whoever makes and migrates them.
    pub(super) fn owner(&self, database: &str) -> Target {
        Target::maintenance(self.url.with_database(database), &self.settings)
    }

    /// The database that tenants' are copied from.
    pub(super) fn template(&self, server: &mut Server) -> Result<&Template, Broken> {
        if let Some(template) = self.template.get() {
            return Ok(template);
        }
        let template = Template::named(server, &self.naming, &self.schema)?;
        Ok(self.template.get_or_init(|| template))
    }

    /// Makes the template, unless it is there.
    pub(super) fn prepare(&self) -> Result<(), Broken> {
        self.with(|server| self.template(server)?.prepare(self, server))
    }

    /// Makes the group that every tenant's login is a member of, unless it is there.
    pub(super) fn ensure_group(&self, server: &mut Server) -> Result<(), Broken> {
        let group = self.naming.group();
        if server.has_role(&group)? {
            return Ok(());
        }
        let made = server.execute_by_right(Right::CreateRoles, &format!("CREATE ROLE \"{group}\" NOLOGIN"));
        match made {
            // Somebody else was faster.
            Err(_) if server.has_role(&group)? => Ok(()),
            made => made,
        }
    }

    /// Asks something that may be asked again, if the connection that was kept turns out to be dead.
    pub(super) fn ask<T>(&self, act: impl Fn(&mut Server) -> QueryResult<T>) -> Result<T, Broken> {
        let mut server = self.take()?;
        let mut answer = act(&mut server);
        if answer.as_ref().is_err_and(is_disconnected) {
            server = self.connect()?;
            answer = act(&mut server);
        }
        let answer = answer?;
        self.keep(server);
        Ok(answer)
    }

    /// Does something that may be done again later, if the connection that was kept turns out to be dead.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Server) -> Result<T, Broken>) -> Result<T, Broken> {
        let mut server = self.take()?;
        let done = act(&mut server)?;
        self.keep(server);
        Ok(done)
    }

    /// Does something under this advisory lock, if it is permitted then. After a failure the connection is closed, and
    /// the lock goes with it as soon as the server has stopped doing what it was asked to.
    pub(super) fn locked<T>(
        &self,
        key: i64,
        permit: Permit<'_>,
        act: impl FnOnce(&mut Server) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let mut server = self.lock(key)?;
        let done = match permitted(permit) {
            Ok(()) => Ok(act(&mut server)?),
            Err(refused) => Err(refused),
        };
        server.unlock(key)?;
        self.keep(server);
        done
    }

    fn lock(&self, key: i64) -> Result<Server, Broken> {
        let mut server = self.take()?;
        match server.lock(key) {
            // The server was restarted since.
            Err(error) if is_disconnected(&error) => {
                server = self.connect()?;
                server.lock(key)?;
                Ok(server)
            }
            locked => Ok(locked.map(|()| server)?),
        }
    }

    /// Connects to a database of this server, as whoever makes and migrates them.
    pub(super) fn enter(&self, database: &str) -> Result<Server, Broken> {
        self.reach(&self.owner(database))
    }

    fn connect(&self) -> Result<Server, Broken> {
        self.reach(&Target::maintenance(self.url.clone(), &self.settings))
    }

    fn reach(&self, target: &Target) -> Result<Server, Broken> {
        Server::connect(target).map_err(|Broken(DatabaseError { fault, detail })| {
            Broken(DatabaseError::new(fault, format!("server '{}': {detail}", self.name)))
        })
    }

    /// A connection that was kept, else a new one.
    fn take(&self) -> Result<Server, Broken> {
        let kept = self.idle().pop();
        kept.map_or_else(|| self.connect(), Ok)
    }

    fn keep(&self, server: Server) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(server);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Server>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
