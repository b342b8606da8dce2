//! Every tenant's PostgreSQL database has a login of its own, and lets nobody else in.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_ports::{DatabaseFault, Presence, Secret, TenantScope};
use tenantry_store_diesel::{LoginPasswords, StoreSettings, Stores};
use tenantry_testkit::sample::permitted;

use crate::places::{
    Postgres, is_furnished, opened, pooled_for, postgres, postgres_with, settings_of, use_it,
};

/// Enters a database as this tenant does.
fn enter(place: &Postgres, tenant: &TenantScope, database: &str) -> ConnectionResult<PgConnection> {
    let login = format!("{}~{}", place.settings.prefix.as_str(), tenant.login().simple());
    let address = place.url.split_once('@').unwrap().1.split_once('/').unwrap().0;
    let password = format!("the%20secret%20of%20{}", tenant.login());
    PgConnection::establish(&format!("postgres://{login}:{password}@{address}/{database}"))
}

fn refusal<T>(outcome: Result<T, impl std::fmt::Display>) -> String {
    outcome.err().map(|error| error.to_string()).expect("it is refused")
}

#[test]
fn a_tenants_login_enters_its_own_database_and_no_other() {
    let Some(place) = postgres() else { return };
    let (acme, other) = (place.scope("acme"), place.scope("other"));
    for scope in [&acme, &other] {
        use_it(&opened(&place.stores, scope)).unwrap();
    }
    let (pooled, _) = pooled_for(&place.stores, &place.settings, "next");
    let who = "SELECT FROM settings WHERE session_user = current_user AND NOT EXISTS \
        (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole OR rolcreatedb))";
    let mut own = enter(&place, &acme, acme.database().as_str()).unwrap();
    assert_eq!(diesel::sql_query(who).execute(&mut own).unwrap(), 1);
    for database in [other.database(), pooled.database()] {
        let refused = refusal(enter(&place, &acme, database.as_str()));
        assert!(refused.contains("permission denied for database"), "{refused}");
    }
}

#[test]
fn a_tenants_login_may_do_what_the_product_does_and_nothing_else() {
    let Some(place) = postgres() else { return };
    let scope = place.scope("acme");
    use_it(&opened(&place.stores, &scope)).unwrap();
    let mut login = enter(&place, &scope, scope.database().as_str()).unwrap();
    for sql in [
        "DELETE FROM events",
        "UPDATE events SET envelope = '{}'",
        "TRUNCATE events",
        "DELETE FROM log_head",
        "INSERT INTO log_floor SELECT id, sequence, hash, 0, hash FROM log_head",
        "UPDATE log_floor SET sequence = 1",
        "DELETE FROM log_floor",
        "UPDATE account_configs SET document = '{}'",
        "DELETE FROM accounts",
        "DELETE FROM __diesel_schema_migrations",
        "CREATE TABLE mine (i int)",
        "CREATE TEMPORARY TABLE mine (i int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP TABLE events",
    ] {
        let refused = refusal(login.batch_execute(sql));
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{sql}: {refused}"
        );
    }
    let neighbours = "SELECT FROM pg_authid";
    assert!(refusal(login.batch_execute(neighbours)).contains("permission denied"));
}

/// The whole life of databases, by a role that is no superuser and owns the control database, as on a managed server.
#[test]
fn a_role_that_may_create_databases_and_roles_is_enough() {
    let Some(place) = postgres() else { return };
    let owner = Humble::new(&place, "CREATEDB CREATEROLE");
    let Some(owner) = owner else { return };
    let stores = owner.stores(&place, |_| ());
    stores.migrate_control().unwrap();
    assert!(stores.prepare().is_empty());
    let (databases, scope) = (stores.databases(), place.scope("acme"));
    let store = opened(&stores, &scope);
    use_it(&store).unwrap();
    assert!(enter(&place, &scope, scope.database().as_str()).is_ok());

    let (pooled, adopted) = pooled_for(&stores, &owner.settings(&place), "adopted");
    let mut forgotten = enter(&place, &pooled, pooled.database().as_str()).unwrap();
    assert!(databases.adopt(&pooled, &adopted, &permitted).unwrap());
    assert!(forgotten.batch_execute("SELECT 1").is_err(), "it was thrown out");
    assert!(is_furnished(&stores, &adopted));
    stores.databases().renew_login(&adopted).unwrap();

    // While somebody is connected.
    let mut connected = enter(&place, &adopted, adopted.database().as_str()).unwrap();
    for scope in [&scope, &pooled, &adopted] {
        databases.remove(scope, &permitted).unwrap();
        assert_eq!(databases.presence(scope).unwrap(), Presence::Absent);
    }
    assert!(connected.batch_execute("SELECT 1").is_err());
    assert!(place.tenant_databases().is_empty() && place.logins().is_empty());
}

#[test]
fn a_role_that_may_not_create_roles_is_told_what_to_do() {
    let Some(place) = postgres() else { return };
    let Some(owner) = Humble::new(&place, "CREATEDB") else { return };
    let stores = owner.stores(&place, |_| ());
    let error = stores.databases().create(&place.scope("acme"), &permitted).unwrap_err();
    assert_eq!(error.fault, DatabaseFault::Lasting, "{error}");
    assert!(error.detail.contains("CREATEROLE") && error.detail.contains("own_logins = false"), "{error}");

    // As it says.
    let stores = owner.stores(&place, |settings| settings.logins = None);
    let scope = place.scope("other");
    use_it(&opened(&stores, &scope)).unwrap();
    assert!(place.logins().is_empty());
    stores.databases().remove(&scope, &permitted).unwrap();
    assert!(place.tenant_databases().is_empty());
}

/// Databases that were made without logins get theirs when they are migrated, with everything they have.
#[test]
fn migrating_makes_the_login_that_is_missing_and_gives_it_its_rights() {
    let Some(place) = postgres() else { return };
    let before = Stores::open(&StoreSettings { logins: None, ..place.settings.clone() }).unwrap();
    let scope = place.scope("acme");
    use_it(&opened(&before, &scope)).unwrap();
    let databases = place.stores.databases();
    assert_ne!(before.databases().schema(), databases.schema(), "the fleet's migration sees the difference");
    assert!(place.stores.tenants().open(&scope).is_err());
    assert_eq!(databases.pending(&scope).unwrap(), 0);
    for _ in 0..2 {
        assert_eq!(databases.migrate(&scope).unwrap(), 0);
        assert!(is_furnished(&place.stores, &scope));
    }
    assert!(is_furnished(&before, &scope), "who was connected before goes on");
    place.ask(&format!("REVOKE CONNECT ON DATABASE {} FROM \"{}\"", scope.database(), place.logins()[0]));
    databases.close(&scope).unwrap();
    assert!(place.stores.tenants().open(&scope).is_err());
    assert_eq!(databases.migrate(&scope).unwrap(), 0);
    assert!(is_furnished(&place.stores, &scope));
    databases.remove(&scope, &permitted).unwrap();
    assert!(place.logins().is_empty());
}

#[test]
fn other_passwords_are_taken_over_when_that_is_asked_for() {
    let Some(place) = postgres() else { return };
    let scope = place.scope("acme");
    use_it(&opened(&place.stores, &scope)).unwrap();
    let logins = Some(LoginPasswords::new(|login| Secret::new(format!("{login}, from another key"))));
    let stores = Stores::open(&StoreSettings { logins, ..place.settings.clone() }).unwrap();
    let refused = refusal(stores.tenants().open(&scope));
    assert!(refused.contains("password authentication failed") && !refused.contains("key"), "{refused}");
    stores.databases().renew_login(&scope).unwrap();
    assert!(is_furnished(&stores, &scope));
}

/// Replicas that know both passwords are let in before, while and after the login is given the new one; those that know one
/// are let in as long as it has that.
#[test]
fn who_knows_former_passwords_too_is_let_in_throughout() {
    let Some(place) = postgres() else { return };
    let scope = place.scope("acme");
    use_it(&opened(&place.stores, &scope)).unwrap();
    let own = place.settings.logins.clone().unwrap();
    let new = |login: uuid::Uuid| Secret::new(format!("{login}, from another key"));
    let old = |login: uuid::Uuid| Secret::new(format!("the secret of {login}"));
    let open =
        |logins| Stores::open(&StoreSettings { logins: Some(logins), ..place.settings.clone() }).unwrap();
    let ahead = open(LoginPasswords::new(new).or_formerly(|_| Secret::new("older still")).or_formerly(old));
    let behind = open(own.or_formerly(new));
    for stores in [&ahead, &behind] {
        assert!(is_furnished(stores, &scope));
        stores.databases().close(&scope).unwrap();
    }
    ahead.databases().renew_login(&scope).unwrap();
    for stores in [&ahead, &behind] {
        assert!(is_furnished(stores, &scope));
    }
    place.stores.databases().close(&scope).unwrap();
    let refused = refusal(place.stores.tenants().open(&scope));
    assert!(refused.contains("password authentication failed"), "{refused}");
}

#[test]
fn an_interrupted_removal_is_finished_and_what_it_left_is_known() {
    let Some(place) = postgres() else { return };
    let (scope, other) = (place.scope("acme"), place.scope("other"));
    for scope in [&scope, &other] {
        opened(&place.stores, scope);
    }
    let orphans = [&scope, &other].map(|scope| {
        place.ask(&format!("DROP DATABASE {} WITH (FORCE)", scope.database()));
        format!("{}~{}", place.settings.prefix.as_str(), scope.login().simple())
    });
    assert_eq!(place.logins().len(), 2);
    place.stores.databases().remove(&scope, &permitted).unwrap();
    assert_eq!(place.logins(), orphans[1..]);
    // What is in use is no orphan.
    opened(&place.stores, &place.scope("third"));
    assert_eq!(place.stores.drop_orphaned_logins().unwrap(), 1);
    assert_eq!(place.stores.drop_orphaned_logins().unwrap(), 0);
    assert_eq!(place.logins().len(), 1);
    // A tenant that is made again has its password again.
    place.ask(&format!("CREATE ROLE \"{}\"", orphans[0]));
    use_it(&opened(&place.stores, &scope)).unwrap();
}

#[test]
fn the_server_is_never_told_a_password() {
    let Some(place) = postgres_with(|settings| {
        settings.logins = Some(LoginPasswords::new(|_| Secret::new("correct-horse-battery")));
    }) else {
        return;
    };
    let scope = place.scope("acme");
    use_it(&opened(&place.stores, &scope)).unwrap();
    let stored = place.ask("SELECT string_agg(rolpassword, ' ') FROM pg_authid");
    assert!(stored.contains("SCRAM-SHA-256$1:") && !stored.contains("horse"), "{stored}");
    let shown = format!("{:?}", place.settings);
    assert!(!shown.contains("horse"), "{shown}");
}

/// A role that is not the superuser that the tests have, with a control database that it owns.
struct Humble<'a> {
    place: &'a Postgres,
    role: String,
    url: String,
}

impl<'a> Humble<'a> {
    /// None where the tests' own role may not make others.
    fn new(place: &'a Postgres, rights: &str) -> Option<Self> {
        let url = place.server.fresh_database("control");
        let database = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let role = format!("{}owner", place.settings.prefix.as_str());
        let made = format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'secret' {rights}; ALTER DATABASE {database} OWNER TO {role}"
        );
        if let Err(error) = place.server.query(place.control_name(), &made) {
            eprintln!("SKIPPED: the tests' own role may not make others: {error}");
            return None;
        }
        let address = url.split_once('@').unwrap().1;
        Some(Self { place, url: format!("postgres://{role}:secret@{address}"), role })
    }

    fn settings(&self, place: &Postgres) -> StoreSettings {
        settings_of(&self.url, place.settings.prefix.as_str().to_owned())
    }

    fn stores(&self, place: &Postgres, change: impl FnOnce(&mut StoreSettings)) -> Stores {
        let mut settings = self.settings(place);
        change(&mut settings);
        Stores::open(&settings).unwrap()
    }
}

impl Drop for Humble<'_> {
    /// Whatever it owns goes first, so that it can go when the tests end.
    fn drop(&mut self) {
        let owned = format!("SELECT datname FROM pg_database WHERE datdba = '{}'::regrole", self.role);
        for database in self.place.ask(&owned).lines() {
            self.place.ask(&format!("DROP DATABASE IF EXISTS \"{database}\" WITH (FORCE)"));
        }
    }
}
