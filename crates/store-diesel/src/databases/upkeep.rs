//! Bringing PostgreSQL databases up to date that tenants enter with logins of their own, who may not do that themselves.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use tenantry_ports::{DatabaseError, DatabaseFault, TenantScope};

use super::cluster::Cluster;
use super::faults::{Broken, migration_failed};
use super::server::Server;
use super::{logins, rights};
use crate::db::Db;
use crate::migrations::{self, Schema};
use crate::owner;
use crate::registry::Registry;

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
}

/// Whether the tenant can enter its database and finds this schema there, with the rights that belong to it: over a
/// connection that serves it afterwards.
pub(super) fn is_up_to_date(registry: &Arc<Registry>, scope: &TenantScope, schema: &str) -> bool {
    let noted = registry.database(scope).and_then(|database| {
        database.query(|db| {
            let query =
                diesel::sql_query("SELECT obj_description('public'::regnamespace, 'pg_namespace') AS schema");
            Ok(query.get_result::<Noted>(db)?.schema)
        })
    });
    noted.is_ok_and(|noted| noted.as_deref() == Some(schema))
}

/// Runs the migrations that the database lacks, and makes the login and its rights as they should be; all of it or
/// nothing. A login that is there keeps its password.
pub(super) fn migrate(cluster: &Cluster, scope: &TenantScope) -> Result<usize, Broken> {
    let mut server = enter(cluster, scope)?;
    cluster.ensure_group(&mut server)?;
    let made = match server.has_role(&cluster.naming.login(scope))? {
        true => String::new(),
        false => logins::make(cluster, scope, false),
    };
    let admitted = logins::admit(cluster, scope, scope.database().as_str());
    let granted = rights::grant(&cluster.naming.group(), &cluster.schema);
    let sql = made + &admitted + &granted;
    let mut db = Db::Postgres(server.into_connection());
    let run = migrations::run_and(&mut db, Schema::Tenant, |db| Ok(db.batch_execute(&sql)?));
    Ok(run.map_err(|error| migration_failed(&*error))?)
}

/// How many migrations the database lacks.
pub(super) fn pending(cluster: &Cluster, scope: &TenantScope) -> Result<usize, Broken> {
    let mut db = Db::Postgres(enter(cluster, scope)?.into_connection());
    Ok(migrations::pending(&mut db, Schema::Tenant).map_err(|error| migration_failed(&*error))?)
}

/// Enters the tenant's database as its owner, if it is the tenant's.
fn enter(cluster: &Cluster, scope: &TenantScope) -> Result<Server, Broken> {
    let mut server = cluster.enter(scope.database().as_str())?;
    if owner::of_server(server.connection())? != Some(owner::tag(scope.tenant())) {
        let detail = "the database of the tenant's name is not the tenant's";
        return Err(DatabaseError::new(DatabaseFault::Foreign, detail).into());
    }
    Ok(server)
}
