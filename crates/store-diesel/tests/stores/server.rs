//! Tenant databases on a PostgreSQL server.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_ports::{DatabaseFault, Presence, TenantScope};
use tenantry_store_diesel::Stores;
use tenantry_testkit::sample::permitted;

use crate::places::{Postgres, opened, pooled_for, postgres, postgres_with, use_it};

/// What a tenant's database is called until it is complete.
fn unfinished(place: &Postgres, scope: &TenantScope) -> String {
    format!("{}~new_{}", place.settings.prefix.as_str(), scope.tenant().uuid().simple())
}

fn exists(place: &Postgres, name: &str) -> bool {
    place.server.databases(name).iter().any(|found| found == name)
}

/// The templates of this place's control database.
fn templates(place: &Postgres) -> Vec<String> {
    let oid = place.ask("SELECT oid FROM pg_database WHERE datname = current_database()");
    place.server.databases(&format!("tenantry~template_{oid}_{}_", place.settings.prefix.as_str()))
}

#[test]
fn what_an_interrupted_creation_left_is_no_database_and_is_cleared_away() {
    let Some(place) = postgres() else { return };
    let scope = place.scope("acme");
    let (databases, unfinished) = (place.stores.databases(), unfinished(&place, &scope));
    place.ask(&format!("CREATE DATABASE \"{unfinished}\""));
    assert_eq!(databases.presence(&scope).unwrap(), Presence::Absent);
    use_it(&opened(&place.stores, &scope)).unwrap();
    assert!(!exists(&place, &unfinished));

    place.ask(&format!("CREATE DATABASE \"{unfinished}\""));
    databases.remove(&scope, &permitted).unwrap();
    assert!(!exists(&place, &unfinished));
    assert!(place.tenant_databases().is_empty());
}

#[test]
fn databases_are_copied_from_a_template_that_is_up_to_date() {
    let Some(place) = postgres() else { return };
    assert!(templates(&place).is_empty());
    assert!(place.stores.prepare().is_empty());
    let [template] = &templates(&place)[..] else { panic!("there is one template") };
    let refused = place.server.query(template, "SELECT 1").unwrap_err();
    assert!(refused.contains("not currently accepting connections"), "{refused}");

    let scope = place.scope("acme");
    place.stores.databases().create(&scope, &permitted).unwrap();
    assert_eq!(place.stores.databases().migrate(&scope).unwrap(), 0);
    assert!(place.stores.prepare().is_empty());
    assert_eq!(&templates(&place), std::slice::from_ref(template));
}

#[test]
fn a_template_that_is_gone_or_half_made_is_made_again() {
    let Some(place) = postgres() else { return };
    assert!(place.stores.prepare().is_empty());
    let [template] = &templates(&place)[..] else { panic!("there is one template") };
    place.ask(&format!("DROP DATABASE \"{template}\""));
    place.ask(&format!("CREATE DATABASE \"{template}~new\""));
    use_it(&opened(&place.stores, &place.scope("acme"))).unwrap();
    assert_eq!(&templates(&place), std::slice::from_ref(template));
}

/// As PostgreSQL leaves a database whose removal is interrupted: nothing of it is any good, but it keeps name and tag.
fn ruin(place: &Postgres, name: &str) {
    place.ask(&format!("UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{name}'"));
}

#[test]
fn what_an_interrupted_removal_left_is_no_database_and_is_made_again() {
    let Some(place) = postgres() else { return };
    let (scope, databases) = (place.scope("acme"), place.stores.databases());
    use_it(&opened(&place.stores, &scope)).unwrap();
    let [template] = &templates(&place)[..] else { panic!("there is one template") };
    for name in [scope.database().as_str(), template] {
        databases.close(&scope).unwrap();
        ruin(&place, name);
        databases.create(&scope, &permitted).unwrap();
        databases.migrate(&scope).unwrap();
        use_it(&place.stores.tenants().open(&scope).unwrap()).unwrap();
        databases.remove(&scope, &permitted).unwrap();
    }
    assert!(place.tenant_databases().is_empty());
    assert_eq!(&templates(&place), std::slice::from_ref(template));

    databases.create(&scope, &permitted).unwrap();
    ruin(&place, scope.database().as_str());
    databases.remove(&scope, &permitted).unwrap();
    assert!(place.tenant_databases().is_empty());

    let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
    ruin(&place, pooled.database().as_str());
    assert!(!databases.adopt(&pooled, &tenant, &permitted).unwrap());
    assert!(place.tenant_databases().is_empty());
}

#[test]
fn templates_of_other_schemas_and_of_control_databases_that_are_gone_are_dropped() {
    let Some(place) = postgres() else { return };
    assert!(place.stores.prepare().is_empty());
    let [template] = &templates(&place)[..] else { panic!("there is one template") };
    let (of_this, _) = template.rsplit_once('_').unwrap();
    let outdated = format!("{of_this}_{}", "0".repeat(16));
    let orphaned = format!("tenantry~template_4294967295_x_{}", "0".repeat(16));
    let oid = place.ask("SELECT oid FROM pg_database WHERE datname = current_database()");
    let of_an_older_version = format!("tenantry~template_{oid}_{}", "0".repeat(16));
    let of_another_installation = format!("tenantry~template_{oid}_other__{}", "0".repeat(16));
    let somebody_elses = format!("{outdated}_notes");
    place.ask(&format!("DROP DATABASE \"{template}\""));
    for name in [&outdated, &orphaned, &of_an_older_version, &of_another_installation, &somebody_elses] {
        place.ask(&format!("CREATE DATABASE \"{name}\""));
    }
    assert!(place.stores.prepare().is_empty());
    for gone in [&outdated, &orphaned, &of_an_older_version] {
        assert!(!exists(&place, gone), "{gone}");
    }
    assert!(exists(&place, template));
    for kept in [&of_another_installation, &somebody_elses] {
        assert!(exists(&place, kept), "{kept}");
        place.ask(&format!("DROP DATABASE \"{kept}\""));
    }
}

#[test]
fn replicas_that_begin_together_make_one_template() {
    let Some(place) = postgres() else { return };
    let scopes: Vec<_> = (0..4).map(|i| place.scope(&format!("tenant-{i}"))).collect();
    std::thread::scope(|threads| {
        for scope in &scopes {
            threads.spawn(|| {
                let replica = Stores::open(&place.settings).unwrap();
                replica.databases().create(scope, &permitted).unwrap();
            });
        }
    });
    assert_eq!(templates(&place).len(), 1);
    assert_eq!(place.tenant_databases().len(), 4);
}

#[test]
fn undoing_waits_for_a_creator_that_may_still_be_at_work() {
    let Some(place) = postgres_with(|settings| settings.lock_timeout = Duration::from_millis(200)) else {
        return;
    };
    let scope = place.scope("acme");
    let databases = place.stores.databases();
    databases.create(&scope, &permitted).unwrap();

    // A creator that has died, and whose server process goes on.
    let mut zombie = PgConnection::establish(&place.url).unwrap();
    let (high, low) = scope.tenant().uuid().as_u64_pair();
    let lock = diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>((high ^ low).cast_signed());
    lock.execute(&mut zombie).unwrap();
    assert_eq!(databases.remove(&scope, &permitted).unwrap_err().fault, DatabaseFault::Passing);
    assert_eq!(databases.presence(&scope).unwrap(), Presence::Own);

    drop(zombie);
    databases.remove(&scope, &permitted).unwrap();
    assert!(place.tenant_databases().is_empty());
}

#[test]
fn a_role_that_may_not_create_databases_is_a_lasting_fault() {
    let Some(place) = postgres() else { return };
    assert!(place.stores.prepare().is_empty());
    let role = format!("humble_{}", place.control_name());
    let made = format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'");
    if place.server.query(place.control_name(), &made).is_err() {
        eprintln!("SKIPPED: the tests' own role may not make others");
        return;
    }
    let origin = place.url.split('@').nth(1).unwrap();
    let mut settings = place.settings.clone();
    settings.url = format!("postgres://{role}:secret@{origin}").parse().unwrap();
    let stores = Stores::open(&settings).unwrap();
    let error = stores.databases().create(&place.scope("acme"), &permitted).unwrap_err();
    assert_eq!(error.fault, DatabaseFault::Lasting, "{error}");
    drop(stores);
    place.ask(&format!("DROP ROLE {role}"));
}

/// Passes bytes between a client and the server until the line is cut, as when the client's machine dies.
struct Line {
    port: u16,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(server: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let sockets = Arc::<Mutex<Vec<TcpStream>>>::default();
        let open = Arc::clone(&sockets);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else {
                    return;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
                        return;
                    };
                    std::thread::spawn(move || io::copy(&mut from, &mut to));
                }
                open.lock().unwrap().extend([client, server]);
            }
        });
        Ok(Self { port, sockets })
    }

    fn cut(&self) {
        for socket in self.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Waits until the server is creating the tenant's database; false if that is over already.
fn is_being_created(place: &Postgres, watch: &mut PgConnection, scope: &TenantScope) -> bool {
    let sql = format!(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE \"{}\"%'",
        unfinished(place, scope)
    );
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if diesel::sql_query(&sql).execute(watch).unwrap() > 0 {
            return true;
        }
        if place.stores.databases().presence(scope).unwrap() == Presence::Own {
            return false;
        }
    }
    panic!("nobody creates it")
}

#[test]
fn a_creation_whose_client_died_is_undone_for_good() {
    let Some(place) = postgres() else { return };
    assert!(place.stores.prepare().is_empty());
    let (_, address) = place.url.split_once('@').unwrap();
    let (server, rest) = address.split_once('/').unwrap();
    let line = Line::to(server.to_owned()).unwrap();
    let mut settings = place.settings.clone();
    let credentials = place.url.split_once('@').unwrap().0;
    settings.url = format!("{credentials}@127.0.0.1:{}/{rest}", line.port).parse().unwrap();
    let doomed = Stores::open(&settings).unwrap();
    let mut watch = PgConnection::establish(&place.url).unwrap();

    let mut interrupted = 0;
    for attempt in 0..20 {
        let scope = place.scope(&format!("acme-{attempt}"));
        std::thread::scope(|threads| {
            let creator = threads.spawn(|| doomed.databases().create(&scope, &permitted));
            if is_being_created(&place, &mut watch, &scope) {
                line.cut();
                interrupted += usize::from(creator.join().unwrap().is_err());
            }
        });
        place.stores.databases().remove(&scope, &permitted).unwrap();
        // The server is done with it: nothing can appear any more.
        assert!(place.tenant_databases().is_empty() && !exists(&place, &unfinished(&place, &scope)));
        let at_work = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE \"{}\"%'",
            unfinished(&place, &scope)
        );
        assert_eq!(place.ask(&at_work), "0");
        if interrupted == 3 {
            break;
        }
    }
    assert!(interrupted > 0, "every creation was faster than the test");
}
