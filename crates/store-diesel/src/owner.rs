//! The tag by which a tenant's database is known: a comment on a PostgreSQL database, a table of a SQLite one.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use tenantry_domain::id::TenantId;

use crate::db::Db;

diesel::table! {
    tenantry_owner (tag) {
        tag -> Text,
    }
}

#[derive(QueryableByName)]
struct Comment {
    #[diesel(sql_type = Nullable<Text>)]
    tag: Option<String>,
}

/// The tag of this tenant's database.
pub(crate) fn tag(tenant: TenantId) -> String {
    format!("{KIND}{tenant}")
}

/// Whose tag it is, if it is one of ours.
pub(crate) fn of_tag(tag: &str) -> Option<TenantId> {
    tag.strip_prefix(KIND)?.parse().ok()
}

const KIND: &str = "tenantry:";

/// The tag of the database that this is a connection to.
pub(crate) fn of(db: &mut Db) -> QueryResult<Option<String>> {
    match db {
        Db::Sqlite(sqlite) => of_file(sqlite).map(Some),
        Db::Postgres(postgres) => of_server(postgres),
    }
}

/// The tag of a PostgreSQL database, if it has one.
pub(crate) fn of_server(postgres: &mut PgConnection) -> QueryResult<Option<String>> {
    let query = diesel::sql_query(
        "SELECT shobj_description(oid, 'pg_database') AS tag FROM pg_database WHERE datname = current_database()",
    );
    Ok(query.get_result::<Comment>(postgres)?.tag)
}

/// The tag of a SQLite database; an error if it has none.
pub(crate) fn of_file(sqlite: &mut SqliteConnection) -> QueryResult<String> {
    tenantry_owner::table.select(tenantry_owner::tag).first(sqlite)
}

/// Gives a SQLite database another owner.
pub(crate) fn change_on_file(sqlite: &mut SqliteConnection, tenant: TenantId) -> QueryResult<()> {
    diesel::update(tenantry_owner::table).set(tenantry_owner::tag.eq(tag(tenant))).execute(sqlite)?;
    Ok(())
}

/// Tags a new SQLite database.
pub(crate) fn set_on_file(sqlite: &mut SqliteConnection, tenant: TenantId) -> QueryResult<()> {
    sqlite.batch_execute("CREATE TABLE tenantry_owner (tag TEXT NOT NULL PRIMARY KEY) STRICT")?;
    diesel::insert_into(tenantry_owner::table).values(tenantry_owner::tag.eq(tag(tenant))).execute(sqlite)?;
    Ok(())
}
