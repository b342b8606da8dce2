//! `migrate` on real databases: only what is behind, the canary first, and nobody held up by somebody else's broken one.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Said, directory, run};
use tenantry_testkit::postgres;

/// Without a pool there is nothing but what the test makes.
const NO_POOL: (&str, &str) = ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "0");

/// What was printed: a JSON object a line.
fn lines(said: &Said) -> Vec<Value> {
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn summary(said: &Said) -> Value {
    lines(said).pop().unwrap()["summary"].clone()
}

/// What came of each tenant, by slug.
fn outcomes(said: &Said) -> Vec<(String, String)> {
    let outcome = |line: &Value| {
        Some((line["tenant"].as_str()?.to_owned(), line["outcome"].as_str().unwrap().to_owned()))
    };
    let mut outcomes: Vec<_> = lines(said).iter().filter_map(outcome).collect();
    outcomes.sort();
    outcomes
}

fn create(here: &Path, environment: &[(&str, &str)], slugs: &[&str]) {
    for slug in slugs {
        let said = run(here, &["tenants", "create", slug], environment);
        assert_eq!((said.status, &*said.stdout), (0, &*format!("{slug} is Active\n")), "{}", said.stderr);
    }
}

#[test]
fn a_dry_run_makes_nothing_and_the_first_run_makes_the_control_database() {
    let here = directory();
    let dry = run(here.path(), &["migrate", "--dry-run"], &[]);
    assert_eq!((dry.status, &*dry.stdout), (0, ""));
    assert!(dry.stderr.contains("no control database yet"), "{}", dry.stderr);
    assert!(!here.path().join("data").exists());
    let said = run(here.path(), &["migrate"], &[NO_POOL]);
    let control = &lines(&said)[0];
    assert_eq!((&control["database"], &control["outcome"]), (&json!("control"), &json!("migrated")));
    assert!(control["migrations"].as_u64().unwrap() > 0);
    assert_eq!(lines(&run(here.path(), &["migrate"], &[NO_POOL]))[0]["outcome"], "current");
}

#[test]
fn new_tenants_are_not_behind_and_one_can_be_asked_for() {
    let here = directory();
    create(here.path(), &[NO_POOL], &["one", "two"]);
    for wish in [&["migrate"][..], &["migrate", "--dry-run"], &["migrate", "--dry-run", "--verify"]] {
        let said = run(here.path(), wish, &[NO_POOL]);
        assert_eq!((said.status, outcomes(&said)), (0, vec![]), "{wish:?}");
    }
    let only = run(here.path(), &["migrate", "--only", "two"], &[NO_POOL]);
    assert_eq!(outcomes(&only), [("two".to_owned(), "migrated".to_owned())]);
    assert_eq!(summary(&only)["migrated"], 1);
    let unknown = run(here.path(), &["migrate", "--only", "three"], &[NO_POOL]);
    assert_eq!(unknown.status, 1);
    assert!(unknown.stderr.contains("there is no tenant 'three'"), "{}", unknown.stderr);
    assert_eq!(run(here.path(), &["migrate", "--only", "two", "--canary", "one"], &[]).status, 2);
    assert_eq!(run(here.path(), &["migrate", "--jobs", "0"], &[]).status, 2);
}

#[test]
fn looking_finds_a_database_that_cannot_be_read() {
    let here = directory();
    create(here.path(), &[NO_POOL], &["one", "two"]);
    let broken = here.path().join("data/tenants/ecom_tenant_two.db");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(broken.with_extension(format!("db{suffix}")));
    }
    fs::write(&broken, "no database at all".repeat(1000)).unwrap();
    assert_eq!(run(here.path(), &["migrate"], &[NO_POOL]).status, 0, "nothing says that it is broken");
    let dry = run(here.path(), &["migrate", "--dry-run", "--verify"], &[NO_POOL]);
    assert_eq!((dry.status, outcomes(&dry)), (1, vec![("two".to_owned(), "unreadable".to_owned())]));
    let said = run(here.path(), &["migrate", "--verify"], &[NO_POOL]);
    assert_eq!((said.status, outcomes(&said)), (1, vec![("two".to_owned(), "failed".to_owned())]));
    assert!(said.stderr.contains("run it again") || said.stderr.contains("fix:"), "{}", said.stderr);
}

#[test]
fn a_fleet_on_a_server_is_migrated_but_for_the_broken_and_a_rerun_does_the_rest() {
    let Some(server) = postgres::shared() else { return };
    let (url, prefix) = (server.fresh_database("migrate_"), server.fresh_prefix());
    let control = url.rsplit('/').next().unwrap().to_owned();
    let here = directory();
    let environment = [
        NO_POOL,
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY__TENANT_DATABASES__PREFIX", &*prefix),
        ("TENANTRY_SECRET_KEY", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="),
    ];
    let migrate = |more: &[&str]| run(here.path(), &[&["migrate"][..], more].concat(), &environment);
    create(here.path(), &environment, &["one", "two", "three"]);
    server.query(&control, "UPDATE tenants SET schema_version = '0000-older'").unwrap();
    // Its migrations are going to be run once more, which fails.
    let two = format!("{prefix}two");
    server.query(&two, "ALTER TABLE __diesel_schema_migrations RENAME TO kept").unwrap();
    server.query(&two, "COMMENT ON SCHEMA public IS '0000-older'").unwrap();

    let dry = migrate(&["--dry-run"]);
    assert_eq!(dry.status, 0, "{}", dry.stderr);
    let behind = "behind".to_owned();
    let all = ["one", "three", "two"].map(|slug| (slug.to_owned(), behind.clone()));
    assert_eq!(outcomes(&dry), all);
    assert!(lines(&dry).iter().skip(1).take(3).all(|line| line["schemaBefore"] == "0000-older"));
    assert_eq!(summary(&dry)["behind"], 3);

    let said = migrate(&["--canary", "two"]);
    assert_eq!((said.status, outcomes(&said)), (1, vec![("two".to_owned(), "failed".to_owned())]));
    assert_eq!(summary(&said)["heldBack"], 2);
    assert!(
        said.stderr.contains("the canary failed") && said.stderr.contains("--canary SLUG"),
        "{}",
        said.stderr
    );

    let said = migrate(&["--jobs", "2"]);
    assert_eq!(said.status, 1);
    let expected = [("one", "migrated"), ("three", "migrated"), ("two", "failed")];
    assert_eq!(outcomes(&said), expected.map(|(slug, outcome)| (slug.to_owned(), outcome.to_owned())));
    assert!(said.stderr.contains("1 of 3 tenants' databases could not be migrated"), "{}", said.stderr);
    let failed = lines(&said).into_iter().find(|line| line["outcome"] == "failed").unwrap();
    assert!(failed["error"].as_str().unwrap().contains("already exists"), "{failed}");

    server.query(&two, "DROP TABLE IF EXISTS __diesel_schema_migrations").unwrap();
    server.query(&two, "ALTER TABLE kept RENAME TO __diesel_schema_migrations").unwrap();
    let said = migrate(&[]);
    assert_eq!((said.status, outcomes(&said)), (0, vec![("two".to_owned(), "migrated".to_owned())]));
    assert_eq!(outcomes(&migrate(&[])), []);

    // What the notes do not say is found by looking.
    server.query(&control, "UPDATE tenants SET schema_version = NULL WHERE slug = 'one'").unwrap();
    server.query(&two, "DELETE FROM __diesel_schema_migrations").unwrap();
    let dry = migrate(&["--dry-run", "--verify"]);
    assert_eq!(outcomes(&dry), [("one".to_owned(), "unnoted".to_owned()), ("two".to_owned(), behind)]);
    let two = lines(&dry).into_iter().find(|line| line["tenant"] == "two").unwrap();
    assert!(two["lacking"].as_u64().unwrap() > 0, "{two}");
}
