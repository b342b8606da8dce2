use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::server::{Server, has};
use super::{Broken, migration_failed};
use crate::StoreSettings;
use crate::connect::Target;
use crate::migrations::{self, Schema, TENANT_FINGERPRINT};
use crate::url::PostgresUrl;

/// The advisory lock under which the template is prepared; any constant that nothing else uses.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database that tenants' are copied from: up to date, empty, and closed to connections, so that it can be copied at
/// any time.
///
/// There is one per control database and tenant schema; its name says which.
pub(super) struct Template {
    name: String,
    url: PostgresUrl,
    settings: Arc<StoreSettings>,
}

#[derive(QueryableByName)]
struct ControlDatabase {
    #[diesel(sql_type = BigInt)]
    oid: i64,
}

#[derive(QueryableByName)]
struct Outdated {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Template {
    pub(super) fn new(
        server: &mut Server,
        url: PostgresUrl,
        settings: Arc<StoreSettings>,
    ) -> Result<Self, Broken> {
        let query =
            diesel::sql_query("SELECT oid::bigint FROM pg_database WHERE datname = current_database()");
        let ControlDatabase { oid } = query.get_result(server.connection())?;
        Ok(Self { name: format!("tenantry~template_{oid}_{TENANT_FINGERPRINT}"), url, settings })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes the template unless it is there. It gets its name last: what has the name is complete.
    pub(super) fn prepare(&self, server: &mut Server) -> Result<(), Broken> {
        server.lock(LOCK)?;
        let prepared = if has(&server.look(&[&self.name])?, &self.name) { Ok(()) } else { self.make(server) };
        server.unlock(LOCK)?;
        prepared
    }

    fn make(&self, server: &mut Server) -> Result<(), Broken> {
        let (name, unfinished) = (&self.name, format!("{}~new", self.name));
        server.drop_database(&unfinished)?;
        // From template0, and with the plainest of locales, a tenant's database is the same on every server.
        server.create(&format!(
            "CREATE DATABASE \"{unfinished}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C' \
             STRATEGY WAL_LOG"
        ))?;
        self.migrate(&unfinished)?;
        server.execute(&format!(
            "ALTER DATABASE \"{unfinished}\" ALLOW_CONNECTIONS false; ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\""
        ))?;
        self.drop_outdated(server);
        Ok(())
    }

    fn migrate(&self, database: &str) -> Result<(), Broken> {
        let target = Target::maintenance(self.url.with_database(database), &self.settings);
        let mut db = target.connect()?;
        match migrations::run(&mut db, Schema::Tenant) {
            Ok(_) => Ok(()),
            Err(error) => Err(migration_failed(&*error).into()),
        }
    }

    /// Drops the templates of other schemas, and of control databases that are gone. Nothing depends on it: a replica
    /// of another version that misses its template makes it again.
    fn drop_outdated(&self, server: &mut Server) {
        let query = diesel::sql_query(
            "SELECT template.datname::text AS name FROM pg_database AS template \
             WHERE template.datname ~ '^tenantry~template_[0-9]+_[0-9a-f]{16}$' AND template.datname <> $1 \
             AND (split_part(template.datname, '_', 2) = split_part($1, '_', 2) OR NOT EXISTS \
                 (SELECT FROM pg_database AS control WHERE control.oid::text = split_part(template.datname, '_', 2)))",
        );
        let outdated = query.bind::<Text, _>(&self.name).load::<Outdated>(server.connection());
        for Outdated { name } in outdated.unwrap_or_default() {
            if let Err(error) = server.drop_database(&name) {
                tracing::debug!(%error, %name, "an outdated template is still there");
            }
        }
    }
}
