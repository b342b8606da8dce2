//! The schemas, and bringing a database up to date.

use std::error::Error;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use sha2::{Digest as _, Sha256};

use crate::db::{Db, MultiBackend};

/// Which of the two schemas a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    Control,
    Tenant,
}

const CONTROL_SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/control/sqlite");
const CONTROL_POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/control/postgres");
const TENANT_SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/tenant/sqlite");
const TENANT_POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/tenant/postgres");

/// These change whenever a tenant migration does.
const TENANT_FINGERPRINT_SQLITE: &str = env!("TENANT_FINGERPRINT_SQLITE");
const TENANT_FINGERPRINT_POSTGRES: &str = env!("TENANT_FINGERPRINT_POSTGRES");

/// The advisory lock under which a PostgreSQL database is migrated; any constant that nothing else uses.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74_7279;

type Outcome = Result<usize, Box<dyn Error + Send + Sync>>;

pub(crate) const fn source(schema: Schema, db: &Db) -> EmbeddedMigrations {
    match (schema, db) {
        (Schema::Control, Db::Sqlite(_)) => CONTROL_SQLITE,
        (Schema::Control, Db::Postgres(_)) => CONTROL_POSTGRES,
        (Schema::Tenant, Db::Sqlite(_)) => TENANT_SQLITE,
        (Schema::Tenant, Db::Postgres(_)) => TENANT_POSTGRES,
    }
}

/// What the tenant schema of SQLite files is called: its last migration, and a fingerprint of them all.
pub(crate) fn tenant_schema_of_files() -> String {
    format!("{}-{TENANT_FINGERPRINT_SQLITE}", last_version(&TENANT_SQLITE))
}

/// The same for PostgreSQL, where the rights that are given along with the tables are part of it.
pub(crate) fn tenant_schema_of_servers(rights: &str) -> String {
    let digest = Sha256::new().chain_update(TENANT_FINGERPRINT_POSTGRES).chain_update(rights).finalize();
    let fingerprint = digest.iter().take(8).fold(0, |bits: u64, byte| bits << 8 | u64::from(*byte));
    format!("{}-{fingerprint:016x}", last_version(&TENANT_POSTGRES))
}

fn last_version(source: &EmbeddedMigrations) -> String {
    let migrations = MigrationSource::<MultiBackend>::migrations(source).unwrap_or_default();
    migrations.iter().map(|migration| migration.name().version().to_string()).max().unwrap_or_default()
}

/// How many migrations the database lacks, found out with one statement. One without the table of migrations lacks all.
pub(crate) fn pending(db: &mut Db, schema: Schema) -> Outcome {
    let applied =
        migrations_run::table.select(migrations_run::version).load::<String>(db).unwrap_or_default();
    let embedded = MigrationSource::<MultiBackend>::migrations(&source(schema, db))?;
    let is_applied =
        |migration: &dyn Migration<MultiBackend>| applied.contains(&migration.name().version().to_string());
    Ok(embedded.iter().filter(|migration| !is_applied(&***migration)).count())
}

diesel::table! {
    #[sql_name = "__diesel_schema_migrations"]
    migrations_run (version) {
        version -> Text,
    }
}

/// Runs what the database lacks, all of it or nothing, and says how many migrations that was.
///
/// Whoever comes second (another replica that starts at the same moment) waits and finds nothing to do.
pub(crate) fn run(db: &mut Db, schema: Schema) -> Outcome {
    match pending(db, schema)? {
        0 => Ok(0),
        _ => run_and(db, schema, |_| Ok(())),
    }
}

/// The same, and then something more in the same transaction, whether or not there was anything to run.
pub(crate) fn run_and(
    db: &mut Db,
    schema: Schema,
    more: impl FnOnce(&mut Db) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Outcome {
    let source = source(schema, db);
    db.begin_write()?;
    let outcome = alone(db).and_then(|()| {
        let run = db.run_pending_migrations(source)?.len();
        more(db)?;
        Ok(run)
    });
    match outcome {
        Ok(_) => db.commit()?,
        Err(_) => db.roll_back(),
    }
    outcome
}

/// Waits until nobody else migrates this database. Its time limits are for everyday statements and do not apply.
fn alone(db: &mut Db) -> Result<(), Box<dyn Error + Send + Sync>> {
    if let Db::Postgres(postgres) = db {
        postgres.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
        diesel::select(pg_advisory_xact_lock(MIGRATION_LOCK)).execute(postgres)?;
    }
    Ok(())
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn pg_advisory_xact_lock(key: BigInt) -> diesel::sql_types::Untyped;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_migrations_have_one_version_and_twins_have_the_same() {
        let versions = |source: &EmbeddedMigrations| -> Vec<String> {
            let migrations = MigrationSource::<MultiBackend>::migrations(source).unwrap();
            migrations.iter().map(|migration| migration.name().version().to_string()).collect()
        };
        for (one, other) in [(&CONTROL_SQLITE, &CONTROL_POSTGRES), (&TENANT_SQLITE, &TENANT_POSTGRES)] {
            let (one, other) = (versions(one), versions(other));
            assert_eq!(one.iter().collect::<BTreeSet<_>>().len(), one.len(), "{one:?}");
            assert_eq!(one, other);
        }
    }
}
