//! The login that alone may enter a tenant's database. All SQL here is empty where tenants have no logins of their own.

use diesel::QueryResult;
use tenantry_ports::TenantScope;

use super::cluster::Cluster;
use super::faults::Broken;
use super::scram;
use super::server::{Right, Server};

/// SQL that makes the scope's login, or gives the one that is there its password again.
pub(super) fn make(cluster: &Cluster, scope: &TenantScope, is_there: bool) -> String {
    let Some(passwords) = &cluster.settings.logins else {
        return String::new();
    };
    let verb = if is_there { "ALTER" } else { "CREATE" };
    let verifier = scram::verifier(scope.login(), &passwords.of(scope.login()));
    format!("{verb} ROLE \"{}\" LOGIN PASSWORD '{verifier}';", cluster.naming.login(scope))
}

/// SQL that lets the scope's login into this database, and nobody else but its owner.
pub(super) fn admit(cluster: &Cluster, scope: &TenantScope, database: &str) -> String {
    if cluster.settings.logins.is_none() {
        return String::new();
    }
    let (login, group) = (cluster.naming.login(scope), cluster.naming.group());
    format!(
        "GRANT \"{group}\" TO \"{login}\"; REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC; \
         GRANT CONNECT ON DATABASE \"{database}\" TO \"{login}\";"
    )
}

/// SQL for when a pooled database becomes a tenant's that is named otherwise: the login stays the same, but is named
/// after the database.
pub(super) fn rename(cluster: &Cluster, pooled: &TenantScope, scope: &TenantScope) -> String {
    let (from, to) = (cluster.naming.login(pooled), cluster.naming.login(scope));
    if cluster.settings.logins.is_none() || pooled.login() != scope.login() || from == to {
        return String::new();
    }
    format!("ALTER ROLE \"{from}\" RENAME TO \"{to}\";")
}

/// Ends what is still connected to the scope's database.
pub(super) fn end_sessions(cluster: &Cluster, server: &mut Server, scope: &TenantScope) -> QueryResult<()> {
    let login = [cluster.naming.login(scope)];
    // Who is no superuser may end only the sessions of roles that they are a member of.
    let joined = cluster.settings.logins.is_some() && server.join(&login).is_ok();
    let ended = server.end_sessions(scope.database().as_str());
    if joined {
        server.leave(&login)?;
    }
    ended
}

/// Drops a database that these logins may enter, whoever is connected to it.
pub(super) fn drop_database(server: &mut Server, name: &str, logins: &[String]) -> QueryResult<()> {
    match server.drop_database(name) {
        Err(_) if !logins.is_empty() => {
            server.join(logins)?;
            server.drop_database(name)
        }
        dropped => dropped,
    }
}

/// Drops those of the logins that may enter no database any more; how many there were.
pub(super) fn drop(server: &mut Server, logins: &[String]) -> Result<usize, Broken> {
    let unused = server.without_database(logins)?;
    for login in &unused {
        server.execute_by_right(Right::CreateRoles, &format!("DROP ROLE IF EXISTS \"{login}\""))?;
    }
    Ok(unused.len())
}
