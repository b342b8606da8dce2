//! A start that cannot work says why in one line, and what to do about it.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::net::TcpListener;

use support::{Said, directory, run};

/// One line that says what is wrong, one that says what to do; nothing on standard output, nothing of Rust's.
fn explained(said: &Said, what: &str, fix: &str) {
    assert_eq!((said.status, &*said.stdout), (1, ""), "{}", said.stderr);
    let lines: Vec<_> = said.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(lines.len(), 2, "{}", said.stderr);
    assert!(lines[0].starts_with("error: ") && lines[0].contains(what), "{}", said.stderr);
    assert!(lines[1].starts_with("  fix: ") && lines[1].contains(fix), "{}", said.stderr);
    for foreign in ["panicked", "Some(", "Err(", "Os {", "hunter2", "SELECT"] {
        assert!(!said.stderr.contains(foreign), "{foreign}: {}", said.stderr);
    }
}

#[test]
fn a_port_in_use() {
    let here = directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    explained(&run(here.path(), &["serve", "--bind", &address], &[]), &address, "--bind");
}

#[test]
fn an_address_of_another_machine() {
    let here = directory();
    let environment = [("TENANTRY_BIND", "192.0.2.1:5000"), ("TENANTRY_PROVISIONING_ACCESS", "operator")];
    explained(&run(here.path(), &[], &environment), "192.0.2.1:5000", "--bind");
}

#[test]
fn a_public_address_that_is_open_to_everybody() {
    let here = directory();
    let said = run(here.path(), &["serve", "--bind", "0.0.0.0:5000"], &[]);
    explained(&said, "TENANTRY_PROVISIONING_ACCESS=operator", "config show");
    assert!(!here.path().join("data").exists(), "refused before anything was made");
}

#[test]
fn a_database_url_that_is_none() {
    let here = directory();
    let said = run(here.path(), &[], &[("TENANTRY_DATABASE_URL", "mysql://root:hunter2@db/x")]);
    explained(&said, "database.url (TENANTRY_DATABASE_URL)", "config show");
}

#[test]
fn a_database_server_that_nobody_can_reach() {
    let here = directory();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://ann:hunter2@{free}/control");
    let said = run(here.path(), &[], &[("TENANTRY_DATABASE_URL", &url)]);
    explained(&said, "cannot connect to the control database", "start PostgreSQL");
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let here = directory();
    fs::write(here.path().join("file"), "").unwrap();
    for place in ["file", "file/data", "/proc/tenantry"] {
        explained(&run(here.path(), &["--data-dir", place], &[]), "cannot be written to", "--data-dir");
    }
}

#[test]
fn a_control_database_that_is_something_else() {
    let here = directory();
    fs::write(
        here.path().join("notes.txt"),
        "not a database, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    let said = run(here.path(), &[], &[("TENANTRY_DATABASE_URL", "sqlite:notes.txt")]);
    explained(&said, "database", "");
}

#[test]
fn a_secret_key_that_is_broken() {
    let here = directory();
    fs::create_dir(here.path().join("data")).unwrap();
    fs::write(here.path().join("data/secret.key"), "hunter2").unwrap();
    explained(&run(here.path(), &[], &[]), "secret.key cannot be used", "TENANTRY_SECRET_KEY");
}

#[test]
fn settings_that_are_wrong() {
    let here = directory();
    let said = run(here.path(), &[], &[("TENANTRY_BND", "x")]);
    explained(&said, "did you mean TENANTRY_BIND?", "config show");
    let said = run(here.path(), &["--config", "nowhere.toml"], &[]);
    explained(&said, "nowhere.toml: cannot read it", "config show");
    let said = run(here.path(), &[], &[("TENANTRY_PROVISIONING_ACCESS", "hmac")]);
    explained(&said, "provisioning.hmac.secrets: ", "config show");
    let captcha = ("TENANTRY_PROVISIONING_ACCESS", "captcha");
    let provider = ("TENANTRY__PROVISIONING__CAPTCHA__PROVIDER", "turnstile");
    explained(&run(here.path(), &[], &[captcha, provider]), "provisioning.captcha.secret: ", "config show");
    assert!(!here.path().join("data").exists());
}
