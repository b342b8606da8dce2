use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantScope};

use super::faults::Broken;
use crate::connect::Target;
use crate::owner;

/// The oldest PostgreSQL that can create a database without waiting for a checkpoint (`STRATEGY WAL_LOG`).
pub(crate) const OLDEST: i32 = 150_000;

/// A connection of its own, from which databases and logins are made and unmade.
pub(super) struct Server(PgConnection);

/// A database that is there.
#[derive(Debug, QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) tag: Option<String>,
    /// How many are connected to it.
    #[diesel(sql_type = Integer)]
    pub(super) sessions: i32,
    /// A removal was interrupted: nobody can use it any more, and all that can be done with it is to remove it again.
    #[diesel(sql_type = Bool)]
    pub(super) ruined: bool,
}

/// What a statement may lack the right for. That will not pass by itself, unlike whatever else may keep a server from
/// doing what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    CreateDatabases,
    CreateRoles,
}

#[derive(QueryableByName)]
struct May {
    #[diesel(sql_type = Bool)]
    databases: bool,
    #[diesel(sql_type = Bool)]
    roles: bool,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Server {
    /// Connects, if the server is one that can be relied on.
    pub(super) fn connect(target: &Target) -> Result<Self, Broken> {
        let mut postgres = target.connect_postgres()?;
        let version = version(&mut postgres)?;
        if version < OLDEST {
            let detail = format!("PostgreSQL {} is too old: 15 or newer is needed", version / 10_000);
            return Err(DatabaseError::new(DatabaseFault::Lasting, detail).into());
        }
        // If this process dies, the server notices and stops creating. Not every platform's server can.
        if let Err(error) = postgres.batch_execute("SET client_connection_check_interval = '200ms'") {
            tracing::debug!(%error, "the server does not notice when its client dies");
        }
        Ok(Self(postgres))
    }

    pub(super) const fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    pub(super) fn into_connection(self) -> PgConnection {
        self.0
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
        let sql = format!("{FOUND} WHERE datname = ANY($1)");
        diesel::sql_query(sql).bind::<Array<Text>, _>(names).load(&mut self.0)
    }

    /// Which databases there are whose names begin like this, but for the one that this is a connection to.
    pub(super) fn look_for(&mut self, prefix: &str) -> QueryResult<Vec<Found>> {
        let sql = format!(
            "{FOUND} WHERE starts_with(datname::text, $1) AND datname <> current_database() \
             ORDER BY datname COLLATE \"C\""
        );
        diesel::sql_query(sql).bind::<Text, _>(prefix).load(&mut self.0)
    }

    /// Runs DDL: several statements in one transaction.
    pub(super) fn execute(&mut self, sql: &str) -> QueryResult<()> {
        self.0.batch_execute(sql)
    }

    /// Runs DDL that takes this right.
    pub(super) fn execute_by_right(&mut self, right: Right, sql: &str) -> Result<(), Broken> {
        let Err(error) = self.0.batch_execute(sql) else {
            return Ok(());
        };
        Err(self.lacks(right, &error).map_or_else(|| error.into(), Into::into))
    }

    /// Whether that is because the right is lacking.
    fn lacks(&mut self, right: Right, error: &diesel::result::Error) -> Option<DatabaseError> {
        let May { databases, roles } = self.rights().ok()?;
        let detail = match right {
            Right::CreateDatabases if !databases => {
                format!(
                    "the server's role has no CREATEDB: {error}; an administrator can grant it: ALTER ROLE … CREATEDB"
                )
            }
            Right::CreateRoles if !roles => format!(
                "the server's role has no CREATEROLE: {error}; an administrator can grant it (ALTER ROLE … CREATEROLE), \
                 or tenant_databases.own_logins = false does without"
            ),
            _ => return None,
        };
        Some(DatabaseError::new(DatabaseFault::Lasting, detail))
    }

    fn rights(&mut self) -> QueryResult<May> {
        let query = diesel::sql_query(
            "SELECT rolcreatedb OR rolsuper AS databases, rolcreaterole OR rolsuper AS roles \
             FROM pg_roles WHERE rolname = current_user",
        );
        query.get_result(&mut self.0)
    }

    pub(super) fn drop_database(&mut self, name: &str) -> QueryResult<()> {
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
    }

    pub(super) fn has_role(&mut self, name: &str) -> QueryResult<bool> {
        let found = diesel::sql_query("SELECT FROM pg_roles WHERE rolname = $1").bind::<Text, _>(name);
        Ok(found.execute(&mut self.0)? > 0)
    }

    /// The logins of our making that may enter the database.
    pub(super) fn logins_of(&mut self, database: &str) -> QueryResult<Vec<String>> {
        let query = diesel::sql_query(
            "SELECT DISTINCT rolname::text AS name FROM pg_database, aclexplode(datacl) AS granted, pg_roles \
             WHERE datname = $1 AND grantee = pg_roles.oid AND rolname ~ '~[0-9a-f]{32}$'",
        );
        Ok(names(query.bind::<Text, _>(database).load(&mut self.0)?))
    }

    /// Those of the roles that are there and may enter no database any more.
    pub(super) fn without_database(&mut self, roles: &[String]) -> QueryResult<Vec<String>> {
        let sql = format!("{WITHOUT_DATABASE} AND rolname = ANY($1)");
        Ok(names(diesel::sql_query(sql).bind::<Array<Text>, _>(roles).load(&mut self.0)?))
    }

    /// The logins of this prefix that may enter no database.
    pub(super) fn orphaned_logins(&mut self, prefix: &str) -> QueryResult<Vec<String>> {
        let sql = format!("{WITHOUT_DATABASE} AND rolname ~ $1 ORDER BY rolname COLLATE \"C\"");
        let pattern = format!("^{prefix}~[0-9a-f]{{32}}$");
        Ok(names(diesel::sql_query(sql).bind::<Text, _>(pattern).load(&mut self.0)?))
    }

    /// Has this role be a member of the others, so that it may end their sessions; a superuser may anyway.
    pub(super) fn join(&mut self, roles: &[String]) -> QueryResult<()> {
        let grants = roles.iter().map(|role| format!("GRANT \"{role}\" TO CURRENT_USER;"));
        self.execute(&grants.collect::<String>())
    }

    pub(super) fn leave(&mut self, roles: &[String]) -> QueryResult<()> {
        let revokes = roles.iter().map(|role| format!("REVOKE \"{role}\" FROM CURRENT_USER;"));
        self.execute(&revokes.collect::<String>())
    }

    /// Ends the sessions in a database and waits until they have ended, each at most 5 seconds.
    pub(super) fn end_sessions(&mut self, database: &str) -> QueryResult<()> {
        let query = diesel::sql_query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
        );
        query.bind::<Text, _>(database).execute(&mut self.0)?;
        Ok(())
    }
}

const FOUND: &str = "SELECT datname::text AS name, shobj_description(oid, 'pg_database') AS tag, \
    pg_stat_get_db_numbackends(oid) AS sessions, datconnlimit = -2 AS ruined FROM pg_database";

const WITHOUT_DATABASE: &str = "SELECT rolname::text AS name FROM pg_roles WHERE NOT EXISTS \
    (SELECT FROM pg_database, aclexplode(datacl) AS granted WHERE grantee = pg_roles.oid)";

fn names(found: Vec<Name>) -> Vec<String> {
    found.into_iter().map(|found| found.name).collect()
}

/// The server's version, as 150018.
pub(crate) fn version(postgres: &mut PgConnection) -> QueryResult<i32> {
    let query = diesel::sql_query("SELECT current_setting('server_version_num')::int AS number");
    Ok(query.get_result::<Number>(postgres)?.number)
}

/// Whether a database of this name is among them.
pub(super) fn has(found: &[Found], name: &str) -> bool {
    found.iter().any(|found| found.name == name)
}

/// Whether a database of this name is among them, and can only be removed.
pub(super) fn is_ruined(found: &[Found], name: &str) -> bool {
    found.iter().any(|found| found.name == name && found.ruined)
}

/// Whether a tenant's database is among them.
pub(super) fn presence(found: &[Found], scope: &TenantScope) -> Presence {
    match found.iter().find(|found| found.name == scope.database().as_str()) {
        None => Presence::Absent,
        Some(found) if found.tag == Some(owner::tag(scope.tenant())) => Presence::Own,
        Some(_) => Presence::Foreign,
    }
}

/// Whether anybody is connected to the tenant's database.
pub(super) fn is_in_use(found: &[Found], scope: &TenantScope) -> bool {
    found.iter().any(|found| found.name == scope.database().as_str() && found.sessions > 0)
}
