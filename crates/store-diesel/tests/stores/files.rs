//! Tenant databases as SQLite files.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, StoreError, TenantScope};
use tenantry_store_diesel::{OpenError, Stores};
use tenantry_testkit::sample::{self, permitted};

use crate::places::{opened, pooled_for, sqlite, sqlite_with, use_it};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[test]
fn what_an_interrupted_creation_left_is_no_database_and_is_cleared_away() {
    let place = sqlite();
    let scope = sample::scope("acme");
    let name = format!("ecom_tenant_~new_{}.db", scope.tenant().uuid().simple());
    let (unfinished, log) = (place.tenants().join(&name), place.tenants().join(format!("{name}-wal")));
    fs::write(&unfinished, "half a database").unwrap();
    fs::write(&log, "and its log").unwrap();
    assert_eq!(place.stores.databases().presence(&scope).unwrap(), Presence::Absent);
    use_it(&opened(&place.stores, &scope)).unwrap();
    assert!(!unfinished.exists() && !log.exists());

    fs::write(&unfinished, "half a database").unwrap();
    place.stores.databases().remove(&scope, &permitted).unwrap();
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn the_log_of_a_database_that_is_gone_is_not_taken_for_that_of_its_successor() {
    let place = sqlite();
    let scope = sample::scope("acme");
    let mut log = place.file(&scope).into_os_string();
    log.push("-wal");
    fs::write(&log, "a log of something else").unwrap();
    use_it(&opened(&place.stores, &scope)).unwrap();
}

#[test]
fn an_interrupted_removal_leaves_a_whole_database_or_none() {
    let place = sqlite();
    let (scope, databases) = (sample::scope("acme"), place.stores.databases());
    opened(&place.stores, &scope);
    let (file, id) = (place.file(&scope), scope.tenant().uuid().simple());
    let unnamed = place.tenants().join(format!("ecom_tenant_~new_{id}.db"));
    // As long as it is open elsewhere, what was written last is in the log alone.
    let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO settings (id, document) VALUES (1, '{}')").execute(&mut other).unwrap();
    let settings = "SELECT count(*) AS number FROM settings";
    let mut log = file.clone().into_os_string();
    log.push("-wal");

    fs::create_dir(&unnamed).unwrap();
    databases.remove(&scope, &permitted).unwrap_err();
    let (copy, copied_log) = (place.tenants().join("copy"), place.tenants().join("copy-wal"));
    fs::copy(&file, &copy).unwrap();
    fs::copy(&log, &copied_log).unwrap();
    let mut copied = SqliteConnection::establish(copy.to_str().unwrap()).unwrap();
    assert_eq!(diesel::sql_query(settings).get_result::<Number>(&mut copied).unwrap().number, 1);
    drop((copied, other));
    fs::remove_dir(&unnamed).unwrap();
    fs::remove_file(&copy).unwrap();

    // The name is gone and the rest is not, or the name was given just before.
    fs::rename(&file, &unnamed).unwrap();
    fs::write(&log, "what was in its log").unwrap();
    assert_eq!(databases.presence(&scope).unwrap(), Presence::Absent);
    use_it(&opened(&place.stores, &scope)).unwrap();
    fs::hard_link(&file, &unnamed).unwrap();
    databases.remove(&scope, &permitted).unwrap();
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_foreign_file_stays_byte_for_byte() {
    let place = sqlite();
    let scope = sample::scope("acme");
    let file = place.file(&scope);
    fs::write(&file, "somebody else's notes").unwrap();
    let databases = place.stores.databases();
    assert_eq!(databases.presence(&scope).unwrap(), Presence::Foreign);
    assert_eq!(databases.create(&scope, &permitted).unwrap_err().fault, DatabaseFault::Foreign);
    databases.remove(&scope, &permitted).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody else's notes");
}

#[test]
fn who_is_in_the_midst_of_making_a_database_keeps_others_from_that_one_only() {
    let place = sqlite_with(|settings| settings.lock_timeout = std::time::Duration::from_millis(50));
    let (pooled, scope) = pooled_for(&place.stores, &place.settings, "acme");
    let databases = place.stores.databases();
    let lock = |scope: &TenantScope| place.tenants().join(format!("~lock_{}", scope.database().as_str()));
    let (of_tenant, of_pooled) = (lock(&scope), lock(&pooled));
    let passing = |done: Result<(), DatabaseError>| {
        assert_eq!(done.unwrap_err().fault, DatabaseFault::Passing);
    };
    for busy in [&of_tenant, &of_pooled] {
        let other = fs::File::create(busy).unwrap();
        other.lock().unwrap();
        passing(databases.adopt(&pooled, &scope, &permitted).map(drop));
        if busy == &of_tenant {
            passing(databases.create(&scope, &permitted));
            passing(databases.remove(&scope, &permitted));
        } else {
            passing(databases.remove(&pooled, &permitted));
        }
        let neighbour = sample::scope("neighbour");
        databases.create(&neighbour, &permitted).unwrap();
        databases.remove(&neighbour, &permitted).unwrap();
        // It died: nothing of it is in the way, and the next one clears it away.
        drop(other);
    }
    assert!(databases.adopt(&pooled, &scope, &permitted).unwrap());
    databases.remove(&scope, &permitted).unwrap();
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn at_any_time_one_alone_has_the_right_to_make_a_database() {
    let (place, scope) = (sqlite(), sample::scope("acme"));
    let (databases, at_it) = (place.stores.databases(), AtomicUsize::new(0));
    let alone = || {
        assert_eq!(at_it.fetch_add(1, Ordering::SeqCst), 0);
        std::thread::yield_now();
        at_it.fetch_sub(1, Ordering::SeqCst);
        Err(StoreError::Stale)
    };
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| (0..100).for_each(|_| drop(databases.create(&scope, &alone).unwrap_err())));
        }
    });
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_database_is_durable_and_strict() {
    let place = sqlite();
    let scope = sample::scope("acme");
    use_it(&opened(&place.stores, &scope)).unwrap();
    // The journal mode is the file's; what else is set is each connection's own: see the unit tests of `connect`.
    let mut sqlite = SqliteConnection::establish(place.file(&scope).to_str().unwrap()).unwrap();
    let mode: Name = diesel::sql_query("SELECT journal_mode AS name FROM pragma_journal_mode")
        .get_result(&mut sqlite)
        .unwrap();
    assert_eq!(mode.name, "wal");
    let lax = "SELECT count(*) AS number FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND NOT strict AND name NOT LIKE 'sqlite_%' AND name <> '__diesel_schema_migrations'";
    assert_eq!(diesel::sql_query(lax).get_result::<Number>(&mut sqlite).unwrap().number, 0);
}

#[test]
fn a_database_that_another_process_writes_to_for_too_long_is_unavailable() {
    let place = sqlite_with(|settings| settings.lock_timeout = std::time::Duration::from_millis(50));
    let scope = sample::scope("acme");
    let store = opened(&place.stores, &scope);
    use_it(&store).unwrap();
    let mut other = SqliteConnection::establish(place.file(&scope).to_str().unwrap()).unwrap();
    diesel::sql_query("BEGIN IMMEDIATE").execute(&mut other).unwrap();
    assert!(matches!(use_it(&store), Err(StoreError::Unavailable(_))));
    diesel::sql_query("ROLLBACK").execute(&mut other).unwrap();
    use_it(&store).unwrap();
}

#[test]
fn a_control_database_that_cannot_be_opened_is_said_to_be() {
    let place = sqlite();
    let mut settings = place.settings;
    settings.url = tenantry_store_diesel::DatabaseUrl::Sqlite(settings.data_dir.clone());
    assert!(matches!(Stores::open(&settings), Err(OpenError::File(_))));
}
