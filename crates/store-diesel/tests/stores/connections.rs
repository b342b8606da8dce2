//! Connections: how many there are, and what becomes of broken ones.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use tenantry_ports::{DatabaseFault, StoreError};
use tenantry_store_diesel::{OpenError, Stores};
use tenantry_testkit::sample::{self, permitted};

use crate::places::{Postgres, opened, postgres, postgres_with, sqlite_with, use_it};

fn connections_to(place: &Postgres, database: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    place.ask(&sql).parse().unwrap()
}

#[test]
fn after_a_server_restart_nobody_notices() {
    for connections in [1, 8] {
        let place = postgres_with(|settings| {
            settings.control_connections = connections;
            settings.tenant_connections = connections;
        });
        if let Some(place) = place {
            survives_restarts(&place);
        }
    }
}

fn survives_restarts(place: &Postgres) {
    let (scope, tenant) = (place.scope("acme"), sample::tenant("acme"));
    let store = opened(&place.stores, &scope);
    place.stores.control().write(|tx| tx.tenants().insert(&tenant)).unwrap();
    for _ in 0..2 {
        // As many dead connections as the pools hold.
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| use_it(&store).unwrap());
                threads.spawn(|| place.stores.ping().unwrap());
            }
        });
        let (control, name) = (place.control_name(), scope.database());
        place.ask(&format!(
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
             WHERE datname IN ('{control}', '{name}') AND pid <> pg_backend_pid()"
        ));
        let found = place.stores.control().read(|tx| tx.tenants().get(tenant.id)).unwrap();
        assert_eq!(found, Some(tenant.clone()));
        use_it(&store).unwrap();
        place.stores.ping().unwrap();
        place.stores.databases().create(&scope, &permitted).unwrap();
    }
}

#[test]
fn a_unit_of_work_whose_connection_dies_in_the_midst_is_unavailable_and_keeps_nothing() {
    let Some(place) = postgres() else { return };
    let (before, after) = (sample::tenant("before"), sample::tenant("after"));
    let outcome = place.stores.control().write(|tx| {
        tx.tenants().insert(&before)?;
        let control = place.control_name();
        place.ask(&format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE datname = '{control}' AND state = 'idle in transaction'"
        ));
        tx.tenants().insert(&after)
    });
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    for tenant in [before, after] {
        assert_eq!(place.stores.control().read(|tx| tx.tenants().get(tenant.id)).unwrap(), None);
    }
}

#[test]
fn connections_to_all_tenants_together_stay_below_the_ceiling() {
    let Some(place) = postgres_with(|settings| settings.all_tenant_connections = 3) else {
        return;
    };
    let scopes: Vec<_> = (0..5).map(|i| place.scope(&format!("tenant-{i}"))).collect();
    let stores: Vec<_> = scopes.iter().map(|scope| opened(&place.stores, scope)).collect();
    for _ in 0..2 {
        for store in &stores {
            use_it(store).unwrap();
            let open: usize =
                scopes.iter().map(|scope| connections_to(&place, scope.database().as_str())).sum();
            assert!((1..=3).contains(&open), "{open}");
        }
    }
    let last = scopes.last().unwrap().database().as_str();
    assert_eq!(connections_to(&place, last), 1, "the one used last is still open");
    assert_eq!(connections_to(&place, scopes[0].database().as_str()), 0, "the one used first is not");
}

#[test]
fn tenants_that_are_all_in_use_make_others_wait_and_no_longer_than_allowed() {
    let place = sqlite_with(|settings| {
        settings.all_tenant_connections = 1;
        settings.connect_timeout = Duration::from_secs(1);
    });
    let (scope, other) = (sample::scope("acme"), sample::scope("other"));
    let store = opened(&place.stores, &scope);
    let other = opened(&place.stores, &other);
    let outcome = store.write(|tx| {
        tx.settings().get()?;
        let begun = Instant::now();
        let refused = use_it(&other);
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(begun.elapsed() < Duration::from_secs(20));
        Ok::<_, StoreError>(())
    });
    outcome.unwrap();
    use_it(&other).unwrap();
}

#[test]
fn a_pool_that_is_all_in_use_is_unavailable_in_time() {
    let Some(place) = postgres_with(|settings| {
        settings.control_connections = 1;
        // Long enough to connect in, on a machine that is busy.
        settings.connect_timeout = Duration::from_secs(3);
    }) else {
        return;
    };
    let id = sample::id();
    let outcome = place.stores.control().read(|tx| {
        let begun = Instant::now();
        assert!(matches!(place.stores.ping(), Err(StoreError::Unavailable(_))));
        assert!(begun.elapsed() < Duration::from_secs(20));
        tx.tenants().get(id)
    });
    assert_eq!(outcome.unwrap(), None);
    place.stores.ping().unwrap();
}

#[test]
fn who_waits_too_long_for_a_lock_is_told_that_the_database_is_unavailable() {
    let Some(place) = postgres_with(|settings| settings.lock_timeout = Duration::from_millis(50)) else {
        return;
    };
    let mut tenant = sample::tenant("acme");
    place.stores.control().write(|tx| tx.tenants().insert(&tenant)).unwrap();
    let mut other = PgConnection::establish(&place.url).unwrap();
    diesel::sql_query("BEGIN").execute(&mut other).unwrap();
    diesel::sql_query("SELECT FROM tenants FOR UPDATE").execute(&mut other).unwrap();
    tenant.version += 1;
    let outcome = place.stores.control().write(|tx| tx.tenants().update(&tenant));
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    diesel::sql_query("ROLLBACK").execute(&mut other).unwrap();
    place.stores.control().write(|tx| tx.tenants().update(&tenant)).unwrap();
}

#[test]
fn a_control_database_that_is_not_there_is_named_and_the_password_is_not() {
    let Some(place) = postgres() else { return };
    let mut settings = place.settings.clone();
    settings.url = place.server.url("not_there").parse().unwrap();
    let Err(error) = Stores::open(&settings) else { panic!("it is not there") };
    assert!(matches!(&error, OpenError::Connect { database, .. } if database == "not_there"), "{error}");
    let password = place.url.split("://").nth(1).unwrap().split('@').next().unwrap().split(':').nth(1);
    let (text, debug) = (error.to_string(), format!("{settings:?} {error:?}"));
    assert!(text.contains("createdb 'not_there'"), "{text}");
    assert!(password.is_none_or(|password| !text.contains(password) && !debug.contains(password)), "{debug}");
}

#[test]
fn a_server_that_is_not_there_is_a_fault_that_may_pass() {
    let Some(place) = postgres() else { return };
    let scope = place.scope("acme");
    let fault = place.stores.databases().migrate(&scope).unwrap_err().fault;
    assert_eq!(fault, DatabaseFault::Passing);
}
