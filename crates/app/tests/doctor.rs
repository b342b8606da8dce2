//! `doctor` on real installations: what is wrong is found, changes nothing until it is told to, and never touches what is
//! somebody else's.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use support::doctor::{NO_POOL, examine, wrong};
use support::server::until;
use support::{directory, run};
use tenantry_testkit::postgres;

const LEASE: (&str, &str) = ("TENANTRY__PROVISIONING__LEASE", "2s");

fn installed(slugs: &[&str]) -> tempfile::TempDir {
    let here = directory();
    for slug in slugs {
        let said = run(here.path(), &["tenants", "create", slug], &[NO_POOL]);
        assert_eq!(said.status, 0, "{}", said.stderr);
    }
    here
}

fn database(here: &Path, slug: &str) -> std::path::PathBuf {
    here.join(format!("data/tenants/ecom_tenant_{slug}.db"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn nothing_is_wrong_before_and_after_the_first_tenant_and_looking_makes_nothing() {
    let here = directory();
    let said = run(here.path(), &["doctor"], &[NO_POOL]);
    assert_eq!(said.status, 0);
    assert!(
        said.stdout.contains("no installation yet") && said.stdout.ends_with("Nothing is wrong.\n"),
        "{}",
        said.stdout
    );
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);

    let here = installed(&["acme"]);
    let (status, found) = examine(here.path(), &[], &[NO_POOL]);
    assert_eq!((status, wrong(&found)), (0, vec![]), "{found}");
    let codes: Vec<_> =
        found["findings"].as_array().unwrap().iter().map(|finding| finding["code"].clone()).collect();
    assert_eq!(
        codes,
        [
            "settings",
            "files",
            "tenant_directory",
            "control_schema",
            "databases",
            "queue",
            "schema",
            "notices"
        ]
    );
}

#[test]
fn a_leftover_is_dropped_when_told_and_a_strangers_database_never() {
    let here = installed(&["acme", "beta"]);
    let other = installed(&["gamma"]);
    let environment = [NO_POOL, LEASE];
    let (leftover, kept) = (database(here.path(), "beta"), here.path().join("kept.db"));
    fs::copy(&leftover, &kept).unwrap();
    let said = run(here.path(), &["tenants", "delete", "beta", "--yes", "--immediately"], &environment);
    assert_eq!(&*said.stdout, "beta is Deleted\n");
    fs::copy(&kept, &leftover).unwrap();
    let strangers = database(here.path(), "gamma");
    fs::copy(database(other.path(), "gamma"), &strangers).unwrap();

    let expected = ["orphan_database", "unknown_owner"];
    let found = until("the leftover is older than a lease", || {
        let (status, found) = examine(here.path(), &[], &environment);
        (status == 1 && wrong(&found) == expected).then_some(found)
    });
    assert_eq!(
        (&found["findings"][0]["fixable"], &found["findings"][1]["fixable"]),
        (&true.into(), &false.into())
    );
    assert!(leftover.exists(), "looking changes nothing");

    let (status, found) = examine(here.path(), &["--fix"], &environment);
    assert_eq!((status, wrong(&found)), (0, vec!["unknown_owner".to_owned()]), "{found}");
    assert_eq!(found["treated"][0]["done"], "dropped");
    assert!(!leftover.exists() && strangers.exists() && database(here.path(), "acme").exists());
}

#[test]
fn a_tenant_without_its_database_is_an_error_that_cannot_be_fixed() {
    let here = installed(&["acme"]);
    fs::remove_file(database(here.path(), "acme")).unwrap();
    for more in [&[][..], &["--fix"]] {
        let (status, found) = examine(here.path(), more, &[NO_POOL]);
        assert_eq!((status, wrong(&found)), (1, vec!["missing_database".to_owned()]), "{found}");
    }
    let said = run(here.path(), &["doctor"], &[NO_POOL]);
    assert!(
        said.stdout
            .starts_with("error: tenant acme: database ecom_tenant_acme is not there\n  fix: restore it"),
        "{}",
        said.stdout
    );
}

#[test]
fn webhooks_that_may_call_what_is_near_are_a_warning() {
    let here = installed(&["acme"]);
    let lowered = ("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "true");
    let (status, found) = examine(here.path(), &[], &[NO_POOL, lowered]);
    assert_eq!((status, wrong(&found)), (0, vec!["open_webhooks".to_owned()]), "{found}");
}

#[test]
fn loose_modes_are_tightened_when_told() {
    let here = installed(&["acme"]);
    let (data, key) = (here.path().join("data"), here.path().join("data/secret.key"));
    set_mode(&data, 0o755);
    set_mode(&key, 0o644);
    let (status, found) = examine(here.path(), &[], &[NO_POOL]);
    assert_eq!(
        (status, wrong(&found)),
        (0, vec!["loose_data_dir".to_owned(), "loose_secret_key".to_owned()])
    );
    assert_eq!((mode(&data), mode(&key)), (0o755, 0o644));
    let (_, found) = examine(here.path(), &["--fix"], &[NO_POOL]);
    assert_eq!(wrong(&found), Vec::<String>::new());
    assert_eq!((mode(&data), mode(&key)), (0o700, 0o600));
}

#[test]
fn a_lost_secret_key_is_an_error_and_not_replaced() {
    let here = installed(&["acme"]);
    let key = here.path().join("data/secret.key");
    fs::remove_file(&key).unwrap();
    let (status, found) = examine(here.path(), &["--fix"], &[NO_POOL]);
    assert_eq!((status, wrong(&found)), (1, vec!["secret_key_missing".to_owned()]));
    assert!(!key.exists());
}

#[test]
fn settings_that_are_wrong_or_unwise_are_found() {
    let here = installed(&["acme"]);
    let (status, found) = examine(here.path(), &[], &[NO_POOL, ("TENANTRY__SERVER__WORKERS", "300")]);
    assert_eq!((status, wrong(&found)), (1, vec!["settings".to_owned()]), "{found}");

    let weak = [
        NO_POOL,
        ("TENANTRY_OPERATOR_KEY", "abababababababababababab"),
        // Thirty-two letters in base64.
        ("TENANTRY_SECRET_KEY", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSAxMjM="),
        ("TENANTRY_BIND", "0.0.0.0:5000"),
    ];
    let (status, found) = examine(here.path(), &[], &weak);
    assert_eq!(
        (status, wrong(&found)),
        (
            1,
            ["open_access", "weak_operator_key", "public_url", "weak_secret_key"].map(str::to_owned).to_vec()
        ),
        "{found}"
    );
    let text = found.to_string();
    assert!(
        !text.contains("abababab") && !text.contains("correct horse") && !text.contains("Y29ycmVj"),
        "{text}"
    );
}

#[test]
fn a_server_that_lets_us_do_too_little_is_found() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh_database("doctor_");
    let name = url.rsplit('/').next().unwrap().to_owned();
    let role = format!("{name}_user");
    server.query("postgres", &format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'")).unwrap();
    server.query("postgres", &format!("ALTER DATABASE {name} OWNER TO {role}")).unwrap();
    let address = url.split('@').nth(1).unwrap();
    let poor = format!("postgres://{role}:hunter2@{address}");
    let prefix = server.fresh_prefix();
    let here = directory();
    let environment = [
        NO_POOL,
        ("TENANTRY_DATABASE_URL", &*poor),
        ("TENANTRY__TENANT_DATABASES__PREFIX", &*prefix),
        ("TENANTRY_SECRET_KEY", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="),
    ];
    let (status, found) = examine(here.path(), &[], &environment);
    assert_eq!(status, 1);
    assert!(wrong(&found).contains(&"control_behind".to_owned()), "{found}");
    assert!(wrong(&found).contains(&"missing_right".to_owned()), "{found}");

    // What can be fixed is; the right has to be given by somebody who may.
    let (status, found) = examine(here.path(), &["--fix"], &environment);
    assert_eq!(status, 1);
    assert!(!wrong(&found).contains(&"control_behind".to_owned()), "{found}");
    server.query("postgres", &format!("ALTER ROLE {role} CREATEDB CREATEROLE")).unwrap();
    let (status, found) = examine(here.path(), &[], &environment);
    assert_eq!((status, wrong(&found)), (0, vec![]), "{found}");
    assert!(!found.to_string().contains("hunter2"));

    let elsewhere =
        [("TENANTRY_DATABASE_URL", "postgres://nobody:hunter2@127.0.0.1:1/nowhere"), environment[3]];
    let (status, found) = examine(here.path(), &[], &elsewhere);
    assert_eq!((status, wrong(&found)), (1, vec!["unusable_installation".to_owned()]), "{found}");
    assert!(!found.to_string().contains("hunter2"));
}

#[test]
fn databases_on_a_server_are_compared_with_the_registry() {
    let Some(server) = postgres::shared() else { return };
    let (url, prefix) = (server.fresh_database("doctor_"), server.fresh_prefix());
    let here = directory();
    let environment = [
        NO_POOL,
        LEASE,
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY__TENANT_DATABASES__PREFIX", &*prefix),
        ("TENANTRY_SECRET_KEY", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="),
    ];
    for slug in ["acme", "beta", "gamma"] {
        let said = run(here.path(), &["tenants", "create", slug], &environment);
        assert_eq!(said.status, 0, "{}", said.stderr);
    }
    let (status, found) = examine(here.path(), &[], &environment);
    assert_eq!((status, wrong(&found)), (0, vec![]), "{found}");

    let id = |slug: &str| {
        let shown = run(here.path(), &["tenants", "show", slug, "--json"], &environment);
        serde_json::from_str::<Value>(&shown.stdout).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let beta = id("beta");
    let said = run(here.path(), &["tenants", "delete", "beta", "--yes", "--immediately"], &environment);
    assert_eq!(&*said.stdout, "beta is Deleted\n");
    // As a server that went on creating after its client had died.
    let left = format!("{prefix}beta");
    server.query("postgres", &format!("CREATE DATABASE {left}")).unwrap();
    server.query("postgres", &format!("COMMENT ON DATABASE {left} IS 'tenantry:{beta}'")).unwrap();
    let half_made = format!("{prefix}~new_{}", beta.strip_prefix("ten_").unwrap());
    server.query("postgres", &format!("CREATE DATABASE \"{half_made}\"")).unwrap();
    server.query("postgres", &format!("ALTER DATABASE {prefix}gamma RENAME TO {prefix}delta")).unwrap();
    let foreign = format!("{prefix}nobody");
    server.query("postgres", &format!("CREATE DATABASE {foreign}")).unwrap();
    let expected =
        ["misplaced_database", "missing_database", "orphan_database", "orphan_database", "untagged_database"];
    until("the leftover is older than a lease", || {
        let (status, found) = examine(here.path(), &[], &environment);
        let mut wrong = wrong(&found);
        wrong.sort();
        (status == 1 && wrong == expected).then_some(())
    });
    server.query("postgres", &format!("ALTER DATABASE {prefix}delta RENAME TO {prefix}gamma")).unwrap();
    let (status, found) = examine(here.path(), &["--fix"], &environment);
    assert_eq!((status, wrong(&found)), (0, vec!["untagged_database".to_owned()]), "{found}");
    assert_eq!(server.databases(&prefix), [format!("{prefix}acme"), format!("{prefix}gamma"), foreign]);
}
