//! What has to hold when everything has come right.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tenantry_tests::{Backend, Installation};

use super::orders::{EMAIL, Ordered, PASSWORD};
use super::roads::Order;
use super::world::World;
use crate::steps::website;

/// What a file of somebody else's that has a database's name holds.
const FOREIGN: &str = "nobody's database";

/// Whether nothing more happens to a tenant by itself.
pub(super) fn is_settled(tenant: &Value) -> bool {
    ["Active", "Failed", "Deleted"].contains(&tenant["status"].as_str().unwrap())
}

/// What keeps everything from being as it should be: tenants on their way, and databases that should be there or not.
pub(super) fn unsettled(world: &World) -> Vec<String> {
    let tenants = world.list();
    let under_way = tenants.iter().filter(|tenant| !is_settled(tenant));
    let mut unsettled: Vec<_> =
        under_way.map(|tenant| format!("{} is {}", tenant["slug"], tenant["status"])).collect();
    let pooled = world.installation.pooled_databases();
    if pooled != world.pool {
        unsettled.push(format!("there are {pooled} databases in the pool instead of {}", world.pool));
    }
    unsettled
}

/// What `doctor` has to say about it: it compares what is registered with what there is.
pub(super) fn complaints(world: &World) -> Vec<String> {
    let mut doctor = world.installation.command();
    doctor.args(["doctor", "--json"]).env("TENANTRY__TENANT_DATABASES__POOL_SIZE", world.pool.to_string());
    doctor.envs([world.era()]);
    let output = doctor.output().expect("the doctor comes");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the doctor speaks JSON");
    let findings = report["findings"].as_array().unwrap();
    // The key of the tests is a text.
    let counts = |finding: &&Value| finding["severity"] != "ok" && finding["code"] != "weak_secret_key";
    let mut complaints: Vec<_> = findings.iter().filter(counts).map(Value::to_string).collect();
    let owned = world.list().iter().filter(|tenant| tenant["status"] == "Active").count();
    let s = |count: usize| if count == 1 { "" } else { "s" };
    let inventory = format!("{owned} tenant{} and {} pooled database{}", s(owned), world.pool, s(world.pool));
    let is_there = |finding: &Value| finding["what"].as_str().unwrap().starts_with(&inventory);
    if !findings.iter().any(|finding| finding["code"] == "databases" && is_there(finding)) {
        complaints.push(format!("there should be {inventory}"));
    }
    let ready = format!("{0} of {0} ", world.pool);
    let is_full = |finding: &Value| finding["what"].as_str().unwrap().starts_with(&ready);
    if world.pool > 0 && !findings.iter().any(|finding| finding["code"] == "pool" && is_full(finding)) {
        complaints.push(format!("{ready}should be ready"));
    }
    complaints
}

/// Nobody works any more: databases, logins and files are those of tenants in service and of the pool.
pub(super) fn inspect(world: &World) {
    let active = world.list().into_iter().filter(|tenant| tenant["status"] == "Active");
    let databases: BTreeSet<_> =
        active.map(|tenant| name(&world.installation, tenant["slug"].as_str().unwrap())).collect();
    let there: BTreeSet<_> = world.installation.tenant_databases().into_iter().collect();
    let pooled = format!("{}~pool_", world.installation.database_prefix());
    let (pool, others): (BTreeSet<_>, BTreeSet<_>) =
        there.into_iter().partition(|name| name.starts_with(&pooled));
    assert_eq!(others, databases);
    assert_eq!(pool.len(), world.pool);
    match world.installation.backend() {
        Backend::Sqlite => inspect_files(&world.installation, &(&databases | &pool)),
        Backend::Postgres(_) => inspect_logins(&world.installation, databases.len() + pool.len()),
    }
}

/// Every attempt at every step is there, numbered from 1, and the last one of each ended as the tenant's state says.
fn inspect_journal(tenant: &Value) {
    for run in tenant["runs"].as_array().unwrap() {
        let steps = run["steps"].as_array().unwrap();
        let kinds: BTreeSet<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
        for kind in &kinds {
            let attempts: Vec<_> = steps.iter().filter(|step| step["step"] == *kind).collect();
            for (index, attempt) in attempts.iter().enumerate() {
                assert_eq!(attempt["attempt"], index + 1, "{tenant}");
                assert!(attempt["startedAt"].is_string() && attempt["completedAt"].is_string(), "{tenant}");
                let is_last = index + 1 == attempts.len();
                let ends: &[_] = match (&run["direction"], is_last) {
                    (_, false) => &["Failed"],
                    (direction, true) if direction == "Forward" || *kind == "Init" => &["Success"],
                    _ => &["Failed", "RolledBack"],
                };
                assert!(ends.contains(&attempt["status"].as_str().unwrap()), "{tenant}");
            }
        }
        let all: &[_] = match (run["kind"].as_str().unwrap(), run["direction"].as_str().unwrap()) {
            ("Deprovision", _) => &["DropDatabase"],
            (_, "Unwind") => &["Init", "CreateDatabase"],
            _ => &["Init", "CreateDatabase", "ApplyMigrations", "SeedData"],
        };
        assert!(all.iter().all(|kind| kinds.contains(kind)), "{tenant}");
    }
}

/// Beside the databases there is nothing but their logs.
fn inspect_files(installation: &Installation, databases: &BTreeSet<String>) {
    for file in fs::read_dir(installation.directory().join("data/tenants")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let of_database = file.split_once(".db").is_some_and(|(database, _)| databases.contains(database));
        assert!(of_database, "{file} is left");
    }
}

/// Each database has a login, and each login a database.
fn inspect_logins(installation: &Installation, databases: usize) {
    let Backend::Postgres(server) = installation.backend() else { return };
    let prefix = installation.database_prefix();
    let logins = format!("SELECT oid, rolname FROM pg_roles WHERE rolname ~ '^{prefix}~[0-9a-f]{{32}}$'");
    let admitted = format!(
        "SELECT login.oid FROM pg_database, aclexplode(datacl) AS right_to, ({logins}) AS login \
         WHERE datname NOT LIKE '%template%' AND grantee = login.oid AND privilege_type = 'CONNECT'"
    );
    for sql in [
        format!("SELECT count(*) FROM ({logins}) AS login"),
        format!("SELECT count(*) FROM ({admitted}) AS admitted"),
        format!("SELECT count(DISTINCT oid) FROM ({admitted}) AS admitted"),
    ] {
        assert_eq!(server.query("postgres", &sql).unwrap(), databases.to_string(), "{sql}");
    }
}

/// Every tenant is what was ordered or has failed well, and its journal tells all; those in service work, and have
/// everything once. Those are at least so many.
pub(super) fn prove(world: &World, at_least: usize) {
    let mut in_service = 0;
    for ordered in &world.tenants {
        let tenant = world.look(ordered);
        inspect_journal(&tenant);
        match tenant["status"].as_str().unwrap() {
            "Active" => {
                assert_ne!(ordered.order, Order::TenantWithoutName, "{tenant}");
                inspect_service(world, ordered);
                in_service += 1;
            }
            "Failed" => assert_eq!(tenant["state"]["needsAttention"], false, "{tenant}"),
            _ => assert_eq!(ordered.order, Order::End, "{tenant}"),
        }
    }
    assert!(in_service >= at_least, "{in_service} tenants are in service");
}

fn inspect_service(world: &World, Ordered { order, slug, .. }: &Ordered) {
    let mut website = website(&world.api, slug);
    let configs = website.get(&format!("/api/v1/tenants/{slug}/configs")).expect(200).json();
    let configs = configs["items"].as_array().unwrap();
    assert!(configs.len() == 1 && configs[0]["version"] == 1, "{configs:?}");
    let account = json!({ "userId": "user", "configId": configs[0]["configId"] });
    website.post(&format!("/api/v1/tenants/{slug}/accounts"), &account).expect(201);
    let admins = usize::from(*order == Order::TenantWithAdmin);
    let credentials = json!({ "email": EMAIL, "password": PASSWORD });
    let login = world.api.client().post(&format!("/api/v1/{slug}/auth/login"), &credentials);
    login.expect(if admins == 1 { 200 } else { 401 });
    if let Backend::Postgres(server) = world.installation.backend() {
        let rows = server.query(&name(&world.installation, slug), ROWS).unwrap();
        // The account; and of the admin, that there is one, and that they signed in.
        assert_eq!(rows, format!("1|{admins}|1|{}|t|t", 2 * admins + 1), "{slug}");
    }
}

/// How many settings, people, configs and events there are; whether the log has no gaps, and hangs together.
const ROWS: &str = "SELECT (SELECT count(*) FROM settings), (SELECT count(*) FROM users), \
    (SELECT count(*) FROM account_configs), count(*), max(sequence) = count(*), \
    bool_and(previous = coalesce((SELECT hash FROM events AS before WHERE before.sequence = events.sequence - 1), \
        decode(repeat('00', 32), 'hex'))) FROM events";

/// Has somebody else's database take the name of the one that the tenant is going to have.
pub(super) fn take_name(installation: &Installation, slug: &str) {
    let name = name(installation, slug);
    match installation.backend() {
        Backend::Sqlite => fs::write(file(installation, &name), FOREIGN).unwrap(),
        Backend::Postgres(server) => {
            let sql = format!("CREATE DATABASE \"{name}\" CONNECTION LIMIT 7");
            server.query("postgres", &sql).map(drop).unwrap();
        }
    }
}

/// Sees that those databases are as they were, and removes them.
pub(super) fn give_names_back(world: &World) {
    let taken = |ordered: &&Ordered| ordered.order == Order::TenantWithoutName;
    let there = world.installation.tenant_databases();
    for ordered in world.tenants.iter().filter(taken) {
        let name = name(&world.installation, &ordered.slug);
        if !there.contains(&name) {
            continue;
        }
        match world.installation.backend() {
            Backend::Sqlite => {
                let file = file(&world.installation, &name);
                assert_eq!(fs::read_to_string(&file).unwrap(), FOREIGN);
                fs::remove_file(file).unwrap();
            }
            Backend::Postgres(server) => {
                let sql = format!(
                    "SELECT datconnlimit, shobj_description(oid, 'pg_database'), datacl FROM pg_database \
                     WHERE datname = '{name}'"
                );
                assert_eq!(server.query("postgres", &sql).unwrap(), "7||");
                server.query("postgres", &format!("DROP DATABASE \"{name}\"")).unwrap();
            }
        }
    }
}

fn name(installation: &Installation, slug: &str) -> String {
    format!("{}{}", installation.database_prefix(), slug.replace('-', "_"))
}

fn file(installation: &Installation, name: &str) -> std::path::PathBuf {
    installation.directory().join(format!("data/tenants/{name}.db"))
}
