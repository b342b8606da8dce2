use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantScope};

use super::Broken;
use crate::connect::Target;
use crate::owner;

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

#[derive(QueryableByName)]
struct May {
    #[diesel(sql_type = Bool)]
    create: bool,
}

impl Server {
    pub(super) fn connect(target: &Target) -> Result<Self, Broken> {
        let mut postgres = target.connect_postgres()?;
        // If this process dies, the server notices and stops creating. Not every platform's server can.
        if let Err(error) = postgres.batch_execute("SET client_connection_check_interval = '200ms'") {
            tracing::debug!(%error, "the server does not notice when its client dies");
        }
        Ok(Self(postgres))
    }

    pub(super) const fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Takes the advisory lock until the connection ends, or gives up after the time-out for locks.
    pub(super) fn lock(&mut self, key: i64) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(key).execute(&mut self.0)?;
        Ok(())
    }

    /// Gives the advisory lock back before the connection ends.
    pub(super) fn unlock(&mut self, key: i64) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(key).execute(&mut self.0)?;
        Ok(())
    }

    /// Which of these databases there are.
    pub(super) fn look(&mut self, names: &[&str]) -> QueryResult<Vec<Found>> {
        look(&mut self.0, names)
    }

    /// Runs DDL.
    pub(super) fn execute(&mut self, sql: &str) -> QueryResult<()> {
        self.0.batch_execute(sql)
    }

    /// Runs DDL that takes the right to create databases. Its lack will not pass by itself, unlike whatever else may
    /// keep a server from creating one.
    pub(super) fn create(&mut self, sql: &str) -> Result<(), Broken> {
        let Err(error) = self.0.batch_execute(sql) else {
            return Ok(());
        };
        let may = diesel::sql_query(
            "SELECT rolcreatedb OR rolsuper AS \"create\" FROM pg_roles WHERE rolname = current_user",
        );
        match may.get_result::<May>(&mut self.0) {
            Ok(May { create: false }) => {
                let detail = format!("the server's role has no CREATEDB: {error}");
                Err(DatabaseError::new(DatabaseFault::Lasting, detail).into())
            }
            _ => Err(error.into()),
        }
    }

    pub(super) fn drop_database(&mut self, name: &str) -> QueryResult<()> {
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
    }
}

/// Which of these databases there are on the server.
pub(super) fn look(postgres: &mut PgConnection, names: &[&str]) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "SELECT datname::text AS name, shobj_description(oid, 'pg_database') AS tag \
         FROM pg_database WHERE datname = ANY($1)",
    )
    .bind::<Array<Text>, _>(names)
    .load(postgres)
}

/// Whether a database of this name is among them.
pub(super) fn has(found: &[Found], name: &str) -> bool {
    found.iter().any(|found| found.name == name)
}

/// Whether a tenant's database is among them.
pub(super) fn presence(found: &[Found], scope: &TenantScope) -> Presence {
    match found.iter().find(|found| found.name == scope.database().as_str()) {
        None => Presence::Absent,
        Some(found) if found.tag == Some(owner::tag(scope.tenant())) => Presence::Own,
        Some(_) => Presence::Foreign,
    }
}
