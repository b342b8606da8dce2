use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::cluster::Cluster;
use super::faults::{Broken, migration_failed};
use super::rights;
use super::server::{Right, Server, has, is_ruined};
use crate::migrations::{self, Schema};
use crate::naming::{Naming, TEMPLATE};

/// The advisory lock under which the template is prepared; any constant that nothing else uses.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database that tenants' are copied from: up to date, empty, and closed to connections, so that it can be copied at
/// any time.
///
/// On each server there is one per installation and tenant schema; its name says which.
pub(super) struct Template {
    name: String,
    /// What its name begins with before the fingerprint, and what it did before prefixes were part of it.
    stems: [String; 2],
}

#[derive(QueryableByName)]
struct ThisDatabase {
    #[diesel(sql_type = BigInt)]
    oid: i64,
}

#[derive(QueryableByName)]
struct Outdated {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Template {
    /// The one that belongs to the database which this is a connection to, to this prefix and to this schema.
    pub(super) fn named(server: &mut Server, naming: &Naming, schema: &str) -> Result<Self, Broken> {
        let query =
            diesel::sql_query("SELECT oid::bigint FROM pg_database WHERE datname = current_database()");
        let ThisDatabase { oid } = query.get_result(server.connection())?;
        let fingerprint = schema.rsplit('-').next().unwrap_or_default();
        let stems = [format!("{TEMPLATE}{oid}_{}_", naming.prefix()), format!("{TEMPLATE}{oid}_")];
        Ok(Self { name: format!("{}{fingerprint}", stems[0]), stems })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes the template unless it is there. It gets its name last: what has the name is complete.
    pub(super) fn prepare(&self, cluster: &Cluster, server: &mut Server) -> Result<(), Broken> {
        server.lock(LOCK)?;
        let found = server.look(&[&self.name])?;
        let is_there = has(&found, &self.name) && !is_ruined(&found, &self.name);
        let prepared = if is_there { Ok(()) } else { self.make(cluster, server) };
        server.unlock(LOCK)?;
        prepared
    }

    fn make(&self, cluster: &Cluster, server: &mut Server) -> Result<(), Broken> {
        let (name, unfinished) = (&self.name, format!("{}~new", self.name));
        server.drop_database(&unfinished)?;
        server.drop_database(name)?;
        // From template0, and with the plainest of locales, a tenant's database is the same on every server.
        server.execute_by_right(
            Right::CreateDatabases,
            &format!(
                "CREATE DATABASE \"{unfinished}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C' \
                 STRATEGY WAL_LOG"
            ),
        )?;
        let grants = match cluster.settings.logins {
            Some(_) => {
                cluster.ensure_group(server)?;
                Some(rights::grant(&cluster.naming.group(), &cluster.schema))
            }
            None => None,
        };
        let mut db = cluster.owner(&unfinished).connect()?;
        migrations::run_and(&mut db, Schema::Tenant, |db| {
            Ok(grants.map_or(Ok(()), |sql| db.batch_execute(&sql))?)
        })
        .map_err(|error| migration_failed(&*error))?;
        drop(db);
        server.execute(&format!(
            "ALTER DATABASE \"{unfinished}\" ALLOW_CONNECTIONS false; ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\""
        ))?;
        self.drop_outdated(server);
        Ok(())
    }

    /// Drops the templates of other schemas, and of databases that are gone. Nothing depends on it: a replica of another
    /// version that misses its template makes it again.
    fn drop_outdated(&self, server: &mut Server) {
        let query = diesel::sql_query(
            "SELECT template.datname::text AS name FROM pg_database AS template \
             WHERE template.datname ~ '^tenantry~template_[0-9]+_([a-z0-9_]+_)?[0-9a-f]{16}$' \
             AND template.datname <> $1 AND (left(template.datname, -16) = ANY($2) OR NOT EXISTS \
                 (SELECT FROM pg_database AS from_it WHERE from_it.oid::text = split_part(template.datname, '_', 2)))",
        );
        let query = query.bind::<Text, _>(&self.name).bind::<Array<Text>, _>(&self.stems[..]);
        let outdated = query.load::<Outdated>(server.connection());
        for Outdated { name } in outdated.unwrap_or_default() {
            if let Err(error) = server.drop_database(&name) {
                tracing::debug!(%error, %name, "an outdated template is still there");
            }
        }
    }
}
