//! Tenants on several PostgreSQL servers, and what is known about them.

use std::sync::OnceLock;

use tenantry_domain::tenant::{ClusterName, Home, Tenant};
use tenantry_ports::{DatabaseFault, PooledDatabase, Presence, TenantScope};
use tenantry_store_diesel::{ClusterReport, DatabaseUrl, PostgresUrl, Premises, StoreSettings, Stores};
use tenantry_testkit::postgres::{self, Server};
use tenantry_testkit::sample::{self, permitted};

use crate::places::{Postgres, is_furnished, opened, postgres_with, sqlite, use_it};

/// A second server; it ends with the process.
fn second() -> Option<&'static Server> {
    static SECOND: OnceLock<Option<Server>> = OnceLock::new();
    SECOND.get_or_init(postgres::durable).as_ref()
}

fn postgres_url(url: &str) -> PostgresUrl {
    let DatabaseUrl::Postgres(url) = url.parse().unwrap() else { panic!("no PostgreSQL URL") };
    url
}

/// The servers `main` and `eu`, and one, `gone`, that nobody answers from.
fn two_servers() -> Option<(Postgres, &'static Server)> {
    let second = second()?;
    let place = postgres_with(|settings| {
        let nobody = postgres_url("postgres://nobody:secret@127.0.0.1:1/postgres");
        let others = [("eu", postgres_url(&second.url("postgres"))), ("gone", nobody)];
        settings.clusters = others.map(|(name, url)| (sample::cluster(name), url)).into();
    })?;
    Some((place, second))
}

/// A new tenant on this server.
fn tenant_on(place: &Postgres, cluster: &str, slug: &str) -> TenantScope {
    let home = Home { cluster: sample::cluster(cluster), login: None };
    sample::scope_of(&Tenant { home, ..sample::database_of(sample::tenant(slug), &place.settings.prefix) })
}

#[test]
fn each_tenant_is_on_the_server_it_was_placed_on() {
    let Some((place, second)) = two_servers() else { return };
    let (here, there) = (tenant_on(&place, "main", "here"), tenant_on(&place, "eu", "there"));
    for scope in [&here, &there] {
        use_it(&opened(&place.stores, scope)).unwrap();
    }
    let prefix = place.settings.prefix.as_str();
    assert_eq!(place.server.databases(prefix), [here.database().as_str()]);
    assert_eq!(second.databases(prefix), [there.database().as_str()]);
    assert_eq!(place.logins().len(), 1, "each login is where its database is");

    // A replica finds them there as well.
    let replica = Stores::open(&place.settings).unwrap();
    for scope in [&here, &there] {
        assert!(is_furnished(&replica, scope));
        assert_eq!(replica.databases().presence(scope).unwrap(), Presence::Own);
        assert_eq!(replica.databases().pending(scope).unwrap(), 0);
        replica.databases().remove(scope, &permitted).unwrap();
    }
    assert!(place.server.databases(prefix).is_empty() && second.databases(prefix).is_empty());
}

#[test]
fn a_pooled_database_becomes_a_tenants_on_its_own_server_only() {
    let Some((place, second)) = two_servers() else { return };
    let pooled =
        PooledDatabase { cluster: sample::cluster("eu"), ..sample::pooled_database(&place.settings.prefix) };
    let pool = TenantScope::pooled(&pooled);
    use_it(&opened(&place.stores, &pool)).unwrap();
    let databases = place.stores.databases();
    databases.close(&pool).unwrap();
    let tenant = sample::database_of(sample::tenant("acme"), &place.settings.prefix);
    let scope = |cluster: &str| {
        let home = Home { cluster: sample::cluster(cluster), login: Some(pooled.id) };
        sample::scope_of(&Tenant { home, ..tenant.clone() })
    };
    assert_eq!(databases.adopt(&pool, &scope("main"), &permitted).unwrap_err().fault, DatabaseFault::Lasting);
    assert!(databases.adopt(&pool, &scope("eu"), &permitted).unwrap());
    assert!(is_furnished(&place.stores, &scope("eu")));
    assert_eq!(second.databases(place.settings.prefix.as_str()), [tenant.database.as_str()]);
    databases.remove(&scope("eu"), &permitted).unwrap();
}

#[test]
fn connections_to_all_servers_together_stay_below_the_ceiling() {
    let Some(second) = second() else { return };
    let Some(place) = postgres_with(|settings| {
        settings.clusters = [(sample::cluster("eu"), postgres_url(&second.url("postgres")))].into();
        settings.all_tenant_connections = 1;
    }) else {
        return;
    };
    let scopes = ["main", "eu"].map(|cluster| tenant_on(&place, cluster, "acme"));
    let stores = scopes.clone().map(|scope| opened(&place.stores, &scope));
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", scopes[0].database());
    for _ in 0..3 {
        for (store, open) in stores.iter().zip([["1", "0"], ["0", "1"]]) {
            use_it(store).unwrap();
            assert_eq!([place.server, second].map(|server| server.query("postgres", &sql).unwrap()), open);
        }
    }
    for scope in &scopes {
        place.stores.databases().remove(scope, &permitted).unwrap();
    }
}

#[test]
fn a_server_that_is_away_is_nobody_elses_problem() {
    let Some((place, _)) = two_servers() else { return };
    let away: Vec<_> = place.stores.prepare().into_iter().map(|(name, error)| (name, error.fault)).collect();
    assert_eq!(away, [(sample::cluster("gone"), DatabaseFault::Passing)]);
    use_it(&opened(&place.stores, &tenant_on(&place, "main", "acme"))).unwrap();

    let scope = tenant_on(&place, "gone", "acme");
    let databases = place.stores.databases();
    let error = databases.create(&scope, &permitted).unwrap_err();
    assert_eq!(error.fault, DatabaseFault::Passing);
    assert!(error.detail.contains("server 'gone'") && !error.detail.contains("secret"), "{error}");
    let error = databases.pending(&scope).unwrap_err();
    assert!(error.detail.contains("server 'gone'"), "{error}");
    let inventory = databases.inventory();
    let told: Vec<_> = inventory.iter().map(|one| (one.cluster.as_str(), one.found.is_ok())).collect();
    assert_eq!(told, [("eu", true), ("gone", false), ("main", true)]);
    let error = inventory[1].found.as_ref().unwrap_err();
    assert!(error.detail.contains("server 'gone'") && !error.detail.contains("secret"), "{error}");
    assert_eq!(inventory[2].found.as_ref().unwrap().len(), 1);
}

#[test]
fn a_server_that_nobody_knows_is_a_lasting_fault_that_names_the_setting() {
    let Some((place, _)) = two_servers() else { return };
    let (databases, scope) = (place.stores.databases(), tenant_on(&place, "us", "acme"));
    let faults = [
        databases.create(&scope, &permitted).unwrap_err(),
        databases.remove(&scope, &permitted).unwrap_err(),
        databases.migrate(&scope).unwrap_err(),
        databases.presence(&scope).unwrap_err(),
    ];
    for error in faults {
        assert_eq!(error.fault, DatabaseFault::Lasting, "{error}");
        assert!(error.detail.contains("[tenant_databases.clusters.us]"), "{error}");
    }
    let error = place.stores.tenants().open(&scope).err().unwrap().to_string();
    assert!(error.contains("[tenant_databases.clusters.us]"), "{error}");

    let sqlite = sqlite();
    let elsewhere = sample::scope_of(&Tenant {
        home: Home { cluster: sample::cluster("eu"), login: None },
        ..sample::tenant("acme")
    });
    let error = sqlite.stores.databases().create(&elsewhere, &permitted).unwrap_err();
    assert_eq!(error.fault, DatabaseFault::Lasting, "{error}");
}

#[test]
fn the_inventory_is_of_all_servers_and_of_one_installation() {
    let Some((place, second)) = two_servers() else { return };
    let (here, there) = (tenant_on(&place, "main", "acme"), tenant_on(&place, "eu", "acme"));
    let settings = StoreSettings {
        clusters: [(sample::cluster("eu"), postgres_url(&second.url("postgres")))].into(),
        ..place.settings.clone()
    };
    let stores = Stores::open(&settings).unwrap();
    assert!(stores.prepare().is_empty());
    for scope in [&here, &there] {
        stores.databases().create(scope, &permitted).unwrap();
    }
    place.ask(&format!("CREATE DATABASE {}strangers", place.settings.prefix.as_str()));
    let inventory = stores.databases().inventory();
    let found = inventory.iter().flat_map(|server| server.found.as_ref().unwrap());
    let found: Vec<_> =
        found.map(|found| (found.cluster.as_str(), found.name.as_str(), found.owner)).collect();
    let strangers = format!("{}strangers", place.settings.prefix.as_str());
    let name = here.database().as_str();
    let expected =
        [("eu", name, Some(there.tenant())), ("main", name, Some(here.tenant())), ("main", &strangers, None)];
    assert_eq!(found, expected);
    stores.databases().remove(&there, &permitted).unwrap();
}

fn reports(stores: &Stores) -> Vec<ClusterReport> {
    let Premises::Clusters(reports) = stores.examine() else { panic!("these are servers") };
    reports
}

#[test]
fn what_there_is_to_know_about_a_server_is_known() {
    let Some((place, _)) = two_servers() else { return };
    opened(&place.stores, &tenant_on(&place, "main", "acme"));
    let orphan = format!("{}~{}", place.settings.prefix.as_str(), "0".repeat(32));
    place.ask(&format!("CREATE ROLE \"{orphan}\" LOGIN"));
    let reports = reports(&place.stores);
    let names: Vec<_> = reports.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(names, ["eu", "gone", "main"]);
    assert!(reports[1].server.as_ref().unwrap_err().contains("server 'gone'"));
    let main = reports[2].server.as_ref().unwrap();
    assert!(place.ask("SHOW server_version").contains(&main.version));
    assert!(main.creates_databases && main.creates_roles);
    assert_eq!(main.max_connections.to_string(), place.ask("SHOW max_connections"));
    assert!((1..main.max_connections).contains(&main.connections), "{main:?}");
    assert_eq!(main.recovery_init_sync_method.as_deref(), Some("fsync"));
    assert_eq!(main.orphaned_logins, [orphan]);
    assert!(reports[0].server.as_ref().unwrap().orphaned_logins.is_empty());
    assert_eq!(ClusterName::default().as_str(), "main");
}

#[test]
fn what_there_is_to_know_about_a_directory_is_known() {
    let place = sqlite();
    opened(&place.stores, &sample::scope("acme"));
    let unfinished = format!("ecom_tenant_~new_{}", "0".repeat(32));
    std::fs::write(place.tenants().join(format!("{unfinished}.db")), "").unwrap();
    let before = place.files();
    let Premises::Directory(report) = place.stores.examine() else { panic!("this is a directory") };
    assert_eq!((report.path, report.writable), (place.tenants(), Ok(())));
    assert_eq!(report.unfinished, [unfinished]);
    assert_eq!(place.files(), before, "looking leaves nothing behind");

    std::fs::remove_dir_all(place.tenants()).unwrap();
    let Premises::Directory(report) = place.stores.examine() else { panic!("this is a directory") };
    assert!(report.writable.is_err());
}
