//! The twin migrations make twins.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_testkit::sample::{self, permitted};

use crate::places::{opened, postgres, sqlite};

/// Tables that are no twins: Diesel's own, and the tag of a SQLite database, which on PostgreSQL is a comment.
const NO_TWINS: [&str; 2] = ["__diesel_schema_migrations", "tenantry_owner"];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Columns with their types and whether they may be null, and every index (that of a primary key too) with its columns,
/// whether it is unique and what it is limited to; foreign keys.
const SQLITE: &str = "\
    SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", ' required', '') AS line \
        FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' \
    UNION SELECT 'key ' || name || ' (' || group_concat(field, ', ') || ')' FROM \
        (SELECT t.name, c.name AS field FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.pk > 0 ORDER BY t.name, c.pk) GROUP BY name \
    UNION SELECT 'index ' || tab || '.' || name || ' (' || group_concat(field, ', ') || ')' \
            || iif(uniq, ' unique', '') || iif(part, ' partial', '') FROM \
        (SELECT t.name AS tab, i.name, f.name AS field, i.\"unique\" AS uniq, i.partial AS part \
         FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) f \
         WHERE t.type = 'table' AND i.origin = 'c' ORDER BY t.name, i.name, f.seqno) GROUP BY tab, name \
    UNION SELECT 'reference ' || t.name || ' to ' || k.\"table\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) k \
        WHERE t.type = 'table'";

const POSTGRES: &str = "\
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type \
            || CASE is_nullable WHEN 'NO' THEN ' required' ELSE '' END AS line \
        FROM information_schema.columns WHERE table_schema = 'public' \
    UNION SELECT CASE WHEN i.indisprimary THEN 'key ' || t.relname ELSE 'index ' || t.relname || '.' || x.relname END \
            || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY k.place) \
                        FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
                        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) || ')' \
            || CASE WHEN i.indisunique AND NOT i.indisprimary THEN ' unique' ELSE '' END \
            || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END \
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid \
        WHERE t.relnamespace = 'public'::regnamespace \
    UNION SELECT 'reference ' || r.conrelid::regclass || ' to ' || r.confrelid::regclass \
        FROM pg_constraint r WHERE r.contype = 'f'";

fn lines(text: &str) -> BTreeSet<String> {
    let twins = text.lines().filter(|line| !NO_TWINS.iter().any(|name| line.contains(name)));
    twins.map(str::to_owned).collect()
}

fn of_file(file: &std::path::Path) -> BTreeSet<String> {
    let mut sqlite = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let found: Vec<Line> = diesel::sql_query(SQLITE).load(&mut sqlite).unwrap();
    let text = found.into_iter().fold(String::new(), |mut text, Line { line }| {
        let _ = writeln!(text, "{line}");
        text
    });
    lines(&text)
}

/// SQLite knows but one kind of whole number.
fn of_database(text: &str) -> BTreeSet<String> {
    let pairs = [(" bigint", " INTEGER"), (" boolean", " INTEGER"), (" text", " TEXT"), (" bytea", " BLOB")];
    lines(&pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}

#[test]
fn the_control_schemas_are_twins() {
    let Some(postgres) = postgres() else { return };
    let sqlite = sqlite();
    let file = sqlite.settings.data_dir.join("control").join("control.db");
    let expected = of_file(&file);
    assert!(expected.contains("index tenants.tenants_slug_held (slug) unique partial"), "{expected:#?}");
    assert!(expected.contains("key provisioning_steps (tenant_id, run_number, position)"), "{expected:#?}");
    assert_eq!(of_database(&postgres.ask(POSTGRES)), expected);
}

#[test]
fn the_tenant_schemas_are_twins() {
    let Some(postgres) = postgres() else { return };
    let (sqlite, file_scope, scope) = (sqlite(), sample::scope("acme"), postgres.scope("acme"));
    opened(&sqlite.stores, &file_scope);
    opened(&postgres.stores, &scope);
    let expected = of_file(&sqlite.file(&file_scope));
    assert!(expected.contains("column accounts.state TEXT required"), "{expected:#?}");
    let found = postgres.server.query(scope.database().as_str(), POSTGRES).unwrap();
    assert_eq!(of_database(&found), expected);
}

#[test]
fn text_keys_are_in_byte_order_on_postgres() {
    let Some(postgres) = postgres() else { return };
    let scope = postgres.scope("acme");
    opened(&postgres.stores, &scope);
    let keys_of_a_language = "SELECT count(*) FROM pg_index i \
        JOIN pg_attribute a ON a.attrelid = i.indexrelid \
        JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'C' \
        JOIN pg_class t ON t.oid = i.indrelid AND t.relnamespace = 'public'::regnamespace \
        WHERE t.relname <> '__diesel_schema_migrations'";
    for database in [postgres.control_name(), scope.database().as_str()] {
        assert_eq!(postgres.server.query(database, keys_of_a_language).unwrap(), "0", "{database}");
    }
}

#[test]
fn replicas_that_start_together_migrate_once() {
    let Some(postgres) = postgres() else { return };
    let url = postgres.server.fresh_database("control");
    let mut settings = postgres.settings.clone();
    settings.url = url.parse().unwrap();
    let run: Vec<usize> = std::thread::scope(|threads| {
        let replicas: Vec<_> = (0..6)
            .map(|_| {
                threads.spawn(|| {
                    tenantry_store_diesel::Stores::open(&settings).unwrap().migrate_control().unwrap()
                })
            })
            .collect();
        replicas.into_iter().map(|replica| replica.join().unwrap()).collect()
    });
    assert_eq!(run.iter().filter(|run| **run > 0).count(), 1, "{run:?}");
    let stores = tenantry_store_diesel::Stores::open(&settings).unwrap();
    assert_eq!(stores.pending_control().unwrap(), 0);
}

#[test]
fn what_is_pending_is_known_before_it_is_run() {
    let sqlite = sqlite();
    let scope = sample::scope("acme");
    sqlite.stores.databases().create(&scope, &permitted).unwrap();
    let pending = sqlite.stores.databases().pending(&scope).unwrap();
    assert!(pending > 0);
    assert_eq!(sqlite.stores.databases().migrate(&scope).unwrap(), pending);
    assert_eq!(sqlite.stores.databases().pending(&scope).unwrap(), 0);
    assert_eq!(sqlite.stores.pending_control().unwrap(), 0);
}
