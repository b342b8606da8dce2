//! What tenants' logins may do in their databases: what the product does there, and nothing else.

/// The rights by table. What is never changed cannot be changed: the versions of configs, and the event log, from which
/// nothing can be removed either, as from the history of basis and processes; what is too old to be kept in it is removed by
/// the database's owner, who alone can say where the log begins then.
const TABLES: [(&str, &str); 20] = [
    ("settings", "SELECT, INSERT, UPDATE"),
    ("users", "SELECT, INSERT, UPDATE"),
    ("sessions", "SELECT, INSERT, UPDATE, DELETE"),
    ("sign_in_attempts", "SELECT, INSERT, UPDATE, DELETE"),
    ("basis", "SELECT, INSERT, UPDATE"),
    ("processes", "SELECT, INSERT, UPDATE, DELETE"),
    ("config_versions", "SELECT, INSERT"),
    ("account_configs", "SELECT, INSERT, DELETE"),
    ("org_units", "SELECT, INSERT, UPDATE, DELETE"),
    ("accounts", "SELECT, INSERT, UPDATE"),
    ("account_mappings", "SELECT, INSERT, UPDATE"),
    ("trades", "SELECT, INSERT"),
    ("holdings", "SELECT, INSERT, DELETE"),
    ("webhook_endpoints", "SELECT, INSERT, UPDATE, DELETE"),
    ("webhook_deliveries", "SELECT, INSERT, UPDATE, DELETE"),
    ("idempotency", "SELECT, INSERT, UPDATE"),
    ("events", "SELECT, INSERT"),
    ("log_head", "SELECT, UPDATE"),
    ("log_floor", "SELECT"),
    ("__diesel_schema_migrations", "SELECT"),
];

/// All of it as one text, which changes when the rights do.
pub(super) fn text() -> String {
    TABLES.map(|(table, rights)| format!("{table}: {rights}\n")).concat()
}

/// Gives the group the rights in the database this is run in, and notes which schema they belong to. Takes nothing back,
/// so that versions of the product that run side by side do not take from each other.
pub(super) fn grant(group: &str, schema: &str) -> String {
    let tables = TABLES.map(|(table, rights)| format!("GRANT {rights} ON \"{table}\" TO \"{group}\";"));
    format!(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO \"{group}\"; {} \
         COMMENT ON SCHEMA public IS '{schema}'",
        tables.concat()
    )
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::*;
    use crate::db::Db;
    use crate::testing;

    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }

    #[test]
    fn every_table_is_thought_of() {
        let Some(place) = testing::postgres() else { return };
        let database = place.tenant_database();
        let mut connection = database.connection().unwrap();
        let Db::Postgres(postgres) = &mut connection.db else { panic!("no PostgreSQL") };
        let query = diesel::sql_query(
            "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        );
        let mut found: Vec<_> =
            query.load::<Table>(postgres).unwrap().into_iter().map(|table| table.name).collect();
        let mut known = TABLES.map(|(table, _)| table.to_owned());
        found.sort();
        known.sort();
        assert_eq!(found, known);
    }
}
