//! What is done on a PostgreSQL server under the lock of a tenant's database.

use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantScope};

use super::cluster::Cluster;
use super::faults::Broken;
use super::logins;
use super::server::{Right, Server, has, is_in_use, is_ruined, presence};
use crate::error::is_disconnected;
use crate::owner;

/// Makes the tenant's database, or what is left to do of it.
pub(super) fn create(cluster: &Cluster, server: &mut Server, scope: &TenantScope) -> Result<(), Broken> {
    let template = cluster.template(server)?;
    let (name, unfinished) = (scope.database().as_str(), cluster.naming.unfinished(scope));
    let found = server.look(&[name, &unfinished, template.name()])?;
    match presence(&found, scope) {
        Presence::Own if is_ruined(&found, name) => {
            let admitted = server.logins_of(name)?;
            logins::drop_database(server, name, &admitted)?;
        }
        Presence::Own => return Ok(()),
        Presence::Foreign => return Err(foreign().into()),
        Presence::Absent => {}
    }
    if has(&found, &unfinished) {
        server.drop_database(&unfinished)?;
    }
    if !has(&found, template.name()) || is_ruined(&found, template.name()) {
        template.prepare(cluster, server)?;
    }
    // WAL_LOG does not wait for a checkpoint of the whole cluster.
    server.execute_by_right(
        Right::CreateDatabases,
        &format!("CREATE DATABASE \"{unfinished}\" TEMPLATE \"{}\" STRATEGY WAL_LOG", template.name()),
    )?;
    let login = logins::make(cluster, scope, server.has_role(&cluster.naming.login(scope))?);
    let sql = login + &logins::admit(cluster, scope, &unfinished) + &name_it(&unfinished, scope);
    let named = match cluster.settings.logins {
        Some(_) => server.execute_by_right(Right::CreateRoles, &sql),
        None => server.execute(&sql).map_err(Broken::from),
    };
    if named.is_err() && presence(&server.look(&[name])?, scope) == Presence::Foreign {
        server.drop_database(&unfinished)?;
        return Err(foreign().into());
    }
    named
}

/// Makes a pooled database the tenant's: one look and one commit, where all is well.
pub(super) fn adopt(
    cluster: &Cluster,
    server: &mut Server,
    pooled: &TenantScope,
    scope: &TenantScope,
) -> Result<bool, Broken> {
    let renamed = logins::rename(cluster, pooled, scope) + &name_it(pooled.database().as_str(), scope);
    // What makes the tenant's run go on is committed by the same server where it has the control database, too, and that
    // commit writes this one down before itself; until then it may be lost, since the run would adopt again.
    let sql = if cluster.has_control() {
        format!("SET LOCAL synchronous_commit = off; {renamed}")
    } else {
        renamed
    };
    if let Some(adopted) = settled(cluster, server, pooled, scope)? {
        return Ok(adopted);
    }
    let Err(error) = server.execute(&sql) else {
        return Ok(true);
    };
    if is_disconnected(&error) {
        return Err(error.into());
    }
    // Somebody else was faster, or has connected since.
    if let Some(adopted) = settled(cluster, server, pooled, scope)? {
        return Ok(adopted);
    }
    server.execute(&sql)?;
    Ok(true)
}

/// Whether the pooled database is the tenant's already, or cannot become it. If neither, nobody is connected to it any
/// more.
fn settled(
    cluster: &Cluster,
    server: &mut Server,
    pooled: &TenantScope,
    scope: &TenantScope,
) -> Result<Option<bool>, Broken> {
    let found = server.look(&[pooled.database().as_str(), scope.database().as_str()])?;
    match (presence(&found, scope), presence(&found, pooled)) {
        (Presence::Own, _) => return Ok(Some(true)),
        (Presence::Foreign, _) => return Err(foreign().into()),
        (Presence::Absent, Presence::Absent | Presence::Foreign) => return Ok(Some(false)),
        (Presence::Absent, Presence::Own) if is_ruined(&found, pooled.database().as_str()) => {
            return remove(cluster, server, pooled).map(|()| Some(false));
        }
        (Presence::Absent, Presence::Own) => {}
    }
    if is_in_use(&found, pooled) {
        logins::end_sessions(cluster, server, pooled)?;
    }
    Ok(None)
}

/// Gives a database the tenant's tag and name, in one transaction.
fn name_it(from: &str, scope: &TenantScope) -> String {
    let (tag, to) = (owner::tag(scope.tenant()), scope.database());
    format!("COMMENT ON DATABASE \"{from}\" IS '{tag}'; ALTER DATABASE \"{from}\" RENAME TO \"{to}\"")
}

/// Drops the tenant's database, its login, and what was on its way to becoming either.
pub(super) fn remove(cluster: &Cluster, server: &mut Server, scope: &TenantScope) -> Result<(), Broken> {
    let (name, unfinished) = (scope.database().as_str(), cluster.naming.unfinished(scope));
    let found = server.look(&[name, &unfinished])?;
    if has(&found, &unfinished) {
        server.drop_database(&unfinished)?;
    }
    let mut logins = vec![cluster.naming.login(scope)];
    if presence(&found, scope) == Presence::Own {
        let admitted = server.logins_of(name)?;
        logins::drop_database(server, name, &admitted)?;
        logins.extend(admitted);
    }
    logins::drop(server, &logins)?;
    let left = server.look(&[name, &unfinished])?;
    if presence(&left, scope) == Presence::Own || has(&left, &unfinished) {
        return Err(DatabaseError::new(DatabaseFault::Passing, "the database is still there").into());
    }
    Ok(())
}

pub(super) fn foreign() -> DatabaseError {
    DatabaseError::new(
        DatabaseFault::Foreign,
        "a database of the tenant's name is there and is not the tenant's",
    )
}
