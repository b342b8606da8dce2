//! `tenants export` and `tenants import`: from one installation to another, whatever database each has.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use support::server::{Server, serve};
use support::{Said, directory, run, run_with_input};
use tenantry_testkit::postgres;

const NO_POOL: (&str, &str) = ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "0");
const PASS_PHRASE: &str = "a pass phrase of my own";

/// acme with an admin and an account.
fn make_acme(here: &Path) {
    let create = ["tenants", "create", "acme", "--admin-email", "ann@acme.example", "--password-stdin"];
    let made = run_with_input(here, &create, &format!("{PASS_PHRASE}\n"));
    assert_eq!(made.status, 0, "{}", made.stderr);
    let server = Server::start(serve(here));
    let (status, account) = provision(here, &server, "acme", &[]);
    assert_eq!(status, 201, "{account}");
    server.stop();
}

fn provision(here: &Path, server: &Server, slug: &str, environment: &[(&str, &str)]) -> (u16, Value) {
    let scopes = "accounts:write,accounts:read";
    let key = run(here, &["keys", "create", "--tenant", slug, "--scopes", scopes, "--quiet"], environment);
    let wish = json!({ "userId": "user-1", "configId": "demo-25k-eval-v1", "meta": { "note": 0.1 } });
    server.send("POST", &format!("/api/v1/tenants/{slug}/accounts"), key.stdout.trim(), &wish)
}

fn export(here: &Path, slug: &str, file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let said = run(here, &["tenants", "export", slug, file], environment);
    assert_eq!(said.status, 0, "{}", said.stderr);
    lines(&fs::read_to_string(here.join(file)).unwrap())
}

fn lines(archive: &str) -> Vec<String> {
    archive.lines().map(str::to_owned).collect()
}

/// The records that came along: all but the head, the trailer, and what so many imports added to the log.
fn records(lines: &[String], imports: usize) -> &[String] {
    &lines[1..lines.len() - 1 - imports]
}

#[test]
fn a_tenant_moves_from_sqlite_to_postgresql_and_back_with_every_record_as_it_was() {
    let Some(databases) = postgres::shared() else {
        return;
    };
    let (url, prefix) = (databases.fresh_database("app_"), databases.fresh_prefix());
    let on_postgres = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY__TENANT_DATABASES__PREFIX", &*prefix),
        ("TENANTRY_SECRET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        NO_POOL,
    ];
    let (first, second, third) = (directory(), directory(), directory());
    make_acme(first.path());
    let original = export(first.path(), "acme", "a.jsonl", &[NO_POOL]);
    let a = first.path().join("a.jsonl");

    let said = run(second.path(), &["tenants", "import", a.to_str().unwrap()], &on_postgres);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(
        said.stdout.starts_with("acme is Active: 1 users, 1 config versions, 1 accounts,"),
        "{}",
        said.stdout
    );
    assert_eq!(databases.databases(&prefix), [format!("{prefix}acme")]);
    let on_server = export(second.path(), "acme", "b.jsonl", &on_postgres);
    assert_eq!(records(&on_server, 1), records(&original, 0));

    let b = second.path().join("b.jsonl");
    let again = ["tenants", "import", b.to_str().unwrap(), "--slug", "acme-2", "--json"];
    let said = run(third.path(), &again, &[NO_POOL]);
    let tenant: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.status, &tenant["status"]), (0, &json!("Active")), "{}", said.stderr);
    let back = export(third.path(), "acme-2", "c.jsonl", &[NO_POOL]);
    assert_eq!(records(&back, 2), records(&original, 0));
    assert_eq!(records(&back, 1), records(&on_server, 0));

    let server = Server::start(serve(third.path()));
    let login = json!({ "email": "ann@acme.example", "password": PASS_PHRASE });
    let (status, answer) = server.send("POST", "/api/v1/acme-2/auth/login", "", &login);
    assert_eq!(status, 200, "{answer}");
    let (status, account) = provision(third.path(), &server, "acme-2", &[NO_POOL]);
    assert_eq!(status, 201, "{account}");
    let piped = run(third.path(), &["tenants", "export", "acme-2", "-"], &[NO_POOL]);
    assert_eq!(piped.status, 0, "{}", piped.stderr);
    assert_eq!(
        lines(&piped.stdout).len(),
        back.len() + 3,
        "while a server runs: the sign-in's event, an account and its event more"
    );
    server.stop();
}

#[test]
fn an_archive_is_for_its_owner_alone_whole_and_never_written_over() {
    let here = directory();
    make_acme(here.path());
    let said = run(here.path(), &["tenants", "export", "acme", "acme.jsonl"], &[NO_POOL]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("hashes of passwords"), "{}", said.stderr);
    let file = here.path().join("acme.jsonl");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&file).unwrap();
    let said = run(here.path(), &["tenants", "export", "acme", "acme.jsonl"], &[NO_POOL]);
    refused(&said, "acme.jsonl is there already");
    assert_eq!(fs::read(&file).unwrap(), before);
    refused(
        &run(here.path(), &["tenants", "export", "acme", "no/where"], &[NO_POOL]),
        "no/where cannot be written",
    );
    refused(
        &run(here.path(), &["tenants", "export", "nobody", "x"], &[NO_POOL]),
        "there is no tenant 'nobody'",
    );
    let mut left: Vec<_> = fs::read_dir(here.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["acme.jsonl", "data"]);

    let said = run(here.path(), &["tenants", "import", "acme.jsonl", "--check"], &[NO_POOL]);
    assert_eq!((said.status, &*said.stderr), (0, ""), "{}", said.stdout);
    assert!(said.stdout.contains("acme.jsonl is whole: 1 users"), "{}", said.stdout);
    refused(
        &run(here.path(), &["tenants", "import", "acme.jsonl"], &[NO_POOL]),
        "slug 'acme' already exists",
    );
    let broken = String::from_utf8(before).unwrap().replace("ann@acme.example", "eve@acme.example");
    fs::write(here.path().join("broken.jsonl"), broken).unwrap();
    let said = run(here.path(), &["tenants", "import", "broken.jsonl", "--slug", "other"], &[NO_POOL]);
    refused(&said, "the lines of kind user are not those that were exported");
    let tenants = run(here.path(), &["tenants", "list", "--json"], &[NO_POOL]);
    assert!(!tenants.stdout.contains("other"), "{}", tenants.stdout);
}

fn refused(said: &Said, expected: &str) {
    assert_eq!((said.status, &*said.stdout), (1, ""), "{}", said.stderr);
    assert!(said.stderr.contains(expected) && said.stderr.contains("fix: "), "{}", said.stderr);
}
