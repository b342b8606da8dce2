//! Pooled databases on a PostgreSQL server that become tenants'.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use tenantry_domain::tenant::{DatabasePrefix, Home, Tenant};
use tenantry_ports::{Presence, TenantScope};
use tenantry_store_diesel::{StoreSettings, Stores};
use tenantry_testkit::sample::{self, permitted};

use crate::places::{Postgres, is_furnished, opened, pooled_for, postgres, use_it};

/// The server processes of tenantry's connections to the control database.
fn backends(place: &Postgres) -> Vec<String> {
    let sql = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'tenantry' ORDER BY pid",
        place.control_name()
    );
    place.ask(&sql).lines().map(str::to_owned).collect()
}

#[test]
fn nobody_has_to_be_connected_for_an_adoption() {
    let Some(place) = postgres() else { return };
    let stores = &place.stores;
    let pairs: Vec<_> = (0..3).map(|i| pooled_for(stores, &place.settings, &format!("acme-{i}"))).collect();
    let before = backends(&place);
    for (pooled, tenant) in &pairs {
        assert!(stores.databases().adopt(pooled, tenant, &permitted).unwrap());
    }
    assert_eq!(backends(&place), before, "over a connection that was kept");
}

#[test]
fn a_connection_that_was_forgotten_does_not_keep_a_database_from_being_adopted() {
    let Some(place) = postgres() else { return };
    let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
    // Two of ours that nobody closed, of another process and of this one, and a colleague who has a look.
    let other = Stores::open(&place.settings).unwrap();
    for stores in [&other, &place.stores] {
        use_it(&stores.tenants().open(&pooled).unwrap()).unwrap();
    }
    let mut colleague = PgConnection::establish(&place.server.url(pooled.database().as_str())).unwrap();
    diesel::sql_query("SELECT FROM settings").execute(&mut colleague).unwrap();

    let begun = Instant::now();
    assert!(place.stores.databases().adopt(&pooled, &tenant, &permitted).unwrap());
    // PostgreSQL itself waits that long for others to go, and then refuses (55006).
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(is_furnished(&place.stores, &tenant));
    assert!(diesel::sql_query("SELECT 1").execute(&mut colleague).is_err(), "it was thrown out");
}

#[test]
fn a_database_that_was_closed_is_left_by_everybody() {
    let Some(place) = postgres() else { return };
    let (pooled, _) = pooled_for(&place.stores, &place.settings, "acme");
    for _ in 0..5 {
        use_it(&place.stores.tenants().open(&pooled).unwrap()).unwrap();
        place.stores.databases().close(&pooled).unwrap();
        let connected =
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", pooled.database());
        assert_eq!(place.ask(&connected), "0");
    }
}

#[test]
fn a_database_goes_to_one_tenant_and_not_to_two() {
    let Some(place) = postgres() else { return };
    let (pooled, first) = pooled_for(&place.stores, &place.settings, "first");
    let second = place.scope("second");
    let adopt = |scope| {
        let replica = Stores::open(&place.settings).unwrap();
        replica.databases().adopt(&pooled, scope, &permitted).unwrap()
    };
    let adopted = std::thread::scope(|threads| {
        let others = threads.spawn(|| adopt(&second));
        (adopt(&first), others.join().unwrap())
    });
    assert!(matches!(adopted, (true, false) | (false, true)), "{adopted:?}");
    assert_eq!(place.tenant_databases().len(), 1);
}

#[test]
fn an_adoption_and_the_removal_of_both_leave_a_tenants_database_or_nothing() {
    let Some(place) = postgres() else { return };
    for round in 0..6 {
        let (pooled, tenant) = pooled_for(&place.stores, &place.settings, &format!("acme-{round}"));
        let (undoer, databases) = (Stores::open(&place.settings).unwrap(), place.stores.databases());
        let adopted = std::thread::scope(|threads| {
            let undone = threads.spawn(|| {
                for scope in [&pooled, &tenant] {
                    undoer.databases().remove(scope, &permitted).unwrap();
                }
            });
            let adopted = databases.adopt(&pooled, &tenant, &permitted).unwrap();
            undone.join().unwrap();
            adopted
        });
        let presence = databases.presence(&tenant).unwrap();
        assert!(adopted || presence == Presence::Absent, "{presence:?}");
        assert_eq!(databases.presence(&pooled).unwrap(), Presence::Absent);
        for scope in [&pooled, &tenant] {
            databases.remove(scope, &permitted).unwrap();
        }
        assert!(place.tenant_databases().is_empty());
        assert_eq!(place.logins(), Vec::<String>::new());
    }
}

/// Databases that were made ready under another prefix can still be had: their logins are called as the tenants' are.
#[test]
fn a_pool_survives_a_change_of_the_prefix() {
    let Some(place) = postgres() else { return };
    let (pooled, _) = pooled_for(&place.stores, &place.settings, "acme");
    let prefix = DatabasePrefix::new(place.server.fresh_prefix()).unwrap();
    let settings = StoreSettings { prefix: prefix.clone(), ..place.settings.clone() };
    let stores = Stores::open(&settings).unwrap();
    let tenant = sample::database_of(sample::tenant("acme"), &prefix);
    let home = Home { login: Some(pooled.login()), ..Home::default() };
    let tenant = sample::scope_of(&Tenant { home, ..tenant });
    assert!(stores.databases().adopt(&pooled, &tenant, &permitted).unwrap());
    assert!(is_furnished(&stores, &tenant));
    assert_eq!(stores.databases().migrate(&tenant).unwrap(), 0);

    // And what there was before keeps its name and its login.
    let old = place.scope("old");
    use_it(&opened(&place.stores, &old)).unwrap();
    assert!(is_furnished(&stores, &old));
    for scope in [&tenant, &old] {
        stores.databases().remove(scope, &permitted).unwrap();
    }
    assert!(place.tenant_databases().is_empty() && place.logins().is_empty());
}

#[test]
fn what_is_left_of_an_adopted_database_goes_with_the_tenant() {
    let Some(place) = postgres() else { return };
    let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
    let databases = place.stores.databases();
    assert!(databases.adopt(&pooled, &tenant, &permitted).unwrap());
    databases.remove(&pooled, &permitted).unwrap();
    assert_eq!(place.logins().len(), 1, "the login is the tenant's by now");
    // Whoever does not know that the database came from the pool removes it with its login all the same.
    let forgetful = TenantScope::provisioning(&Tenant {
        id: tenant.tenant(),
        home: Home::default(),
        lifecycle: tenantry_domain::tenant::Lifecycle::Provisioning { since: sample::now() },
        ..sample::database_of(sample::tenant("acme"), &place.settings.prefix)
    });
    databases.remove(&forgetful.unwrap(), &permitted).unwrap();
    assert!(place.tenant_databases().is_empty() && place.logins().is_empty());
}
