use std::sync::{Arc, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use tenantry_domain::id::TenantId;
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantDatabases, TenantScope};

use super::template::Template;
use super::{Broken, migrate, unavailable};
use crate::connect::Target;
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
}

impl PostgresDatabases {
    pub(crate) fn new(url: PostgresUrl, control: Arc<Database>, registry: Arc<Registry>, shared: &Shared) -> Self {
        Self { url, control, registry, shared: shared.clone(), template: OnceLock::new() }
    }

    /// Prepares the database that tenants' are copied from.
    pub(crate) fn prepare(&self) -> Result<(), DatabaseError> {
        let mut server = self.connect()?;
        let template = self.template(&mut server)?;
        Ok(template.prepare(&mut server)?)
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

    fn create(&self, scope: &TenantScope) -> Result<(), Broken> {
        let mut server = self.connect()?;
        let template = self.template(&mut server)?;
        server.lock(lock_key(scope.tenant()))?;
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
            template.prepare(&mut server)?;
        }
        server.copy_database(template.name(), &unfinished)?;
        let tag = owner::tag(scope.tenant());
        let named = server.execute(&format!(
            "COMMENT ON DATABASE \"{unfinished}\" IS '{tag}'; ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\""
        ));
        if named.is_err() && presence(&server.look(&[name])?, scope) == Presence::Foreign {
            server.drop_database(&unfinished)?;
            return Err(foreign().into());
        }
        named
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), Broken> {
        let _closed = self.registry.close(scope.tenant());
        let mut server = self.connect()?;
        server.lock(lock_key(scope.tenant()))?;
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
        Ok(self.create(scope)?)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        migrate(&self.registry, scope)
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(self.remove(scope)?)
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        let names = [scope.database().as_str()];
        let found = self.control.query(|db| match db {
            crate::db::Db::Postgres(postgres) => Ok(look(postgres, &names)?),
            crate::db::Db::Sqlite(_) => Ok(Vec::new()),
        });
        Ok(presence(&found.map_err(unavailable)?, scope))
    }
}

/// A connection of its own, from which databases are made and unmade.
pub(super) struct Server(PgConnection);

/// A database that is there.
#[derive(Debug, QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    tag: Option<String>,
}

impl Server {
    fn connect(target: &Target) -> Result<Self, Broken> {
        let mut postgres = target.connect_postgres()?;
        // If this process dies, the server notices and stops creating. Not every platform's server can.
        if let Err(error) = postgres.batch_execute("SET client_connection_check_interval = '200ms'") {
            tracing::debug!(%error, "the server does not notice when its client dies");
        }
        Ok(Self(postgres))
    }

    /// Takes the advisory lock until the connection ends, or gives up after the time-out for locks.
    pub(super) fn lock(&mut self, key: i64) -> Result<(), Broken> {
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(key).execute(&mut self.0)?;
        Ok(())
    }

    /// Gives the advisory lock back before the connection ends.
    pub(super) fn unlock(&mut self, key: i64) -> Result<(), Broken> {
        diesel::sql_query("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(key).execute(&mut self.0)?;
        Ok(())
    }

    /// Which of these databases there are.
    pub(super) fn look(&mut self, names: &[&str]) -> Result<Vec<Found>, Broken> {
        Ok(look(&mut self.0, names)?)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Runs DDL.
    pub(super) fn execute(&mut self, sql: &str) -> Result<(), Broken> {
        Ok(self.0.batch_execute(sql)?)
    }

    /// Runs DDL that takes the right to create databases; its lack will not pass by itself.
    pub(super) fn create(&mut self, sql: &str) -> Result<(), Broken> {
        let Err(error) = self.0.batch_execute(sql) else { return Ok(()) };
        let may_create = diesel::sql_query("SELECT rolcreatedb OR rolsuper AS yes FROM pg_roles WHERE rolname = current_user");
        match may_create.get_result::<Answer>(&mut self.0) {
            Ok(Answer { yes: false }) => {
                Err(DatabaseError::new(DatabaseFault::Lasting, format!("the database role lacks CREATEDB: {error}")).into())
            }
            _ => Err(error.into()),
        }
    }

    /// Copies a database to which nobody is connected. `WAL_LOG` does not wait for a checkpoint of the whole cluster.
    fn copy_database(&mut self, from: &str, to: &str) -> Result<(), Broken> {
        self.create(&format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\" STRATEGY WAL_LOG"))
    }

    pub(super) fn drop_database(&mut self, name: &str) -> Result<(), Broken> {
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

fn look(postgres: &mut PgConnection, names: &[&str]) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "SELECT datname::text AS name, shobj_description(oid, 'pg_database') AS tag \
         FROM pg_database WHERE datname = ANY($1)",
    )
    .bind::<Array<Text>, _>(names)
    .load(postgres)
}

pub(super) fn has(found: &[Found], name: &str) -> bool {
    found.iter().any(|found| found.name == name)
}

fn presence(found: &[Found], scope: &TenantScope) -> Presence {
    match found.iter().find(|found| found.name == scope.database().as_str()) {
        None => Presence::Absent,
        Some(found) if found.tag == Some(owner::tag(scope.tenant())) => Presence::Own,
        Some(_) => Presence::Foreign,
    }
}

/// What a tenant's database is called until it is complete. No other database is, since no name of one has a `~`.
fn unfinished(tenant: TenantId) -> String {
    format!("tenantry~new_{}", tenant.uuid().simple())
}

fn lock_key(tenant: TenantId) -> i64 {
    let (high, low) = tenant.uuid().as_u64_pair();
    (high ^ low).cast_signed()
}

fn foreign() -> DatabaseError {
    DatabaseError::new(DatabaseFault::Foreign, "a database of the tenant's name is there and is not the tenant's")
}
