//! The schemas, and bringing a database up to date.

use std::error::Error;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

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

/// Changes whenever a tenant migration does.
pub(crate) const TENANT_FINGERPRINT: &str = env!("TENANT_SCHEMA_FINGERPRINT");

/// The advisory lock under which a PostgreSQL database is migrated; any constant that nothing else uses.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74_7279;

type Outcome = Result<usize, Box<dyn Error + Send + Sync>>;

const fn source(schema: Schema, db: &Db) -> EmbeddedMigrations {
    match (schema, db) {
        (Schema::Control, Db::Sqlite(_)) => CONTROL_SQLITE,
        (Schema::Control, Db::Postgres(_)) => CONTROL_POSTGRES,
        (Schema::Tenant, Db::Sqlite(_)) => TENANT_SQLITE,
        (Schema::Tenant, Db::Postgres(_)) => TENANT_POSTGRES,
    }
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
    if pending(db, schema)? == 0 {
        return Ok(0);
    }
    let source = source(schema, db);
    db.begin_write()?;
    let outcome = alone(db).and_then(|()| Ok(db.run_pending_migrations(source)?.len()));
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
