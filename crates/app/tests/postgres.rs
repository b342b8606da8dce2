//! The server with its databases on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::server::{Server, serve, until};
use support::{directory, run};
use tenantry_testkit::postgres;

#[test]
fn replicas_share_a_server_and_nothing_is_written_to_their_disks() {
    let Some(databases) = postgres::shared() else {
        return;
    };
    let (url, prefix) = (databases.fresh_database("app_"), databases.fresh_prefix());
    let here = directory();
    let environment = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY__TENANT_DATABASES__PREFIX", &*prefix),
        ("TENANTRY_SECRET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("TENANTRY_OPERATOR_KEY", "an-operator-key-of-my-own"),
    ];
    let start = || {
        let mut command: Command = serve(here.path());
        command.envs(environment);
        Server::start(command)
    };
    let (one, other) = (start(), start());
    let password = url.split(['@', ':']).nth(2).unwrap();
    for server in [&one, &other] {
        assert!(server.banner.contains("postgres://"), "{}", server.banner);
        assert!(!server.banner.contains(password), "no password is shown: {}", server.banner);
    }

    let wish = json!({ "name": "Acme Corp", "subdomain": "acme",
                       "admin": { "email": "admin@acme.example", "password": "a long pass phrase" } });
    let (status, answer) = one.send("POST", "/api/v1/tenants", "", &wish);
    assert_eq!(status, 201, "{answer}");
    // Those with a `~` are nobody's yet.
    let mut names = databases.databases(&prefix);
    names.retain(|name| !name.contains('~'));
    assert_eq!(names, [format!("{prefix}acme")]);
    let wish = json!({ "name": "n", "scopes": ["accounts:write", "accounts:read"] });
    let (status, key) = other.send("POST", "/api/v1/tenants/acme/api-keys", environment[3].1, &wish);
    assert_eq!(status, 201, "{key}");
    let wish = json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" });
    let (status, account) =
        one.send("POST", "/api/v1/tenants/acme/accounts", key["key"].as_str().unwrap(), &wish);
    assert_eq!(status, 201, "{account}");
    let path = format!("/api/v1/tenants/acme/accounts/{}", account["accountId"].as_str().unwrap());
    assert_eq!(other.send("GET", &path, key["key"].as_str().unwrap(), &Value::Null).0, 200);

    for wish in [&["migrate"][..], &["doctor"]] {
        let said = run(here.path(), wish, &environment);
        assert_eq!(said.status, 0, "{wish:?}: {} {}", said.stdout, said.stderr);
    }
    // Each of the two may make one too many for the pool at first, and one that is just being removed cannot be looked into.
    until("every database can be looked into, and lacks nothing", || {
        let said = run(here.path(), &["migrate", "--dry-run", "--verify"], &environment);
        (said.status == 0).then_some(())
    });
    one.stop();
    other.stop();
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_database_that_does_not_exist_is_explained() {
    let Some(databases) = postgres::shared() else {
        return;
    };
    let here = directory();
    let said = run(here.path(), &[], &[("TENANTRY_DATABASE_URL", &databases.url("nowhere"))]);
    assert_eq!((said.status, &*said.stdout), (1, ""));
    assert!(said.stderr.contains("createdb 'nowhere'"), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 2, "{}", said.stderr);
}
