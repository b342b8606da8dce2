//! The arrows between the crates, and what the inner ones may be built with: the table of ARCHITECTURE.md, enforced.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crate, and the crates of this workspace it may depend on.
const ARROWS: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("usecases", &["domain", "ports"]),
    ("testkit", &["domain", "ports", "usecases"]),
    ("store-diesel", &["domain", "ports"]),
    ("http-actix", &["domain", "usecases", "ports"]),
    ("security", &["domain", "ports"]),
    ("outbound-lettre", &["domain", "ports"]),
    ("outbound-reqwest", &["domain", "ports"]),
    ("worker", &["domain", "usecases", "ports"]),
    (
        "app",
        &[
            "domain",
            "ports",
            "usecases",
            "store-diesel",
            "http-actix",
            "outbound-lettre",
            "outbound-reqwest",
            "security",
            "worker",
        ],
    ),
    // Black-box tests of the binary: they know it by its outside alone.
    ("tests", &["testkit"]),
];

/// The crates that may be built only with these.
const PURE: [(&str, &[&str]); 3] = [
    (
        "domain",
        &["serde", "serde_json", "schemars", "chrono", "chrono-tz", "thiserror", "rust_decimal", "uuid"],
    ),
    ("ports", &["serde", "serde_json", "chrono", "thiserror", "uuid"]),
    // Talking about things, not doing them: no database, no network, no runtime (futures-util waits for several things at
    // once, and runs nothing).
    (
        "usecases",
        &["serde", "serde_json", "schemars", "chrono", "futures-util", "thiserror", "tracing", "uuid"],
    ),
];

/// A technology, and the only crates that may know it.
const TECHNOLOGIES: [(&str, &[&str]); 11] = [
    ("diesel", &["store-diesel"]),
    ("diesel_migrations", &["store-diesel"]),
    ("r2d2", &["store-diesel"]),
    ("actix-web", &["http-actix", "app"]),
    ("reqwest", &["outbound-reqwest"]),
    ("lettre", &["outbound-lettre"]),
    ("biscuit", &["security"]),
    ("valico", &["security"]),
    ("argon2", &["security"]),
    ("clap", &["app"]),
    ("anyhow", &["app"]),
];

/// Crate, and what its tests may use besides; every crate's tests may use `testkit`.
const TESTS_MAY: [(&str, &[&str]); 1] = [
    // What a body is told about its faults is the real schema check's doing.
    ("http-actix", &["security"]),
];

#[derive(Debug, Default)]
struct Dependencies {
    /// Of the crate itself and its build script.
    normal: BTreeSet<String>,
    /// Of its tests.
    dev: BTreeSet<String>,
}

fn members() -> BTreeMap<String, Dependencies> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut members = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let mut dependencies = Dependencies::default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let kind =
                if dependency["kind"] == "dev" { &mut dependencies.dev } else { &mut dependencies.normal };
            kind.insert(dependency["name"].as_str().unwrap().to_owned());
        }
        members.insert(package["name"].as_str().unwrap().to_owned(), dependencies);
    }
    members
}

fn ours(dependencies: &BTreeSet<String>) -> BTreeSet<&str> {
    dependencies.iter().filter_map(|name| name.strip_prefix("tenantry-")).collect()
}

/// Everything in the workspace that is not as the tables say.
fn violations(members: &BTreeMap<String, Dependencies>) -> Vec<String> {
    let mut violations = Vec::new();
    for (package, dependencies) in members {
        let name = package.strip_prefix("tenantry-").unwrap_or(package);
        let Some((_, allowed)) = ARROWS.iter().find(|(listed, _)| *listed == name) else {
            violations.push(format!("{name} is in no table: say where it belongs"));
            continue;
        };
        let besides =
            TESTS_MAY.iter().find(|(listed, _)| *listed == name).map_or(&[][..], |(_, besides)| besides);
        let tests_may = |to: &str| allowed.contains(&to) || to == "testkit" || besides.contains(&to);
        violations.extend(
            ours(&dependencies.normal)
                .into_iter()
                .filter(|to| !allowed.contains(to))
                .chain(ours(&dependencies.dev).into_iter().filter(|to| !tests_may(to)))
                .map(|to| format!("{name} -> {to}")),
        );
        let outside = || dependencies.normal.iter().filter(|name| !name.starts_with("tenantry-"));
        if let Some((_, allowed)) = PURE.iter().find(|(listed, _)| *listed == name) {
            let foreign = outside().filter(|used| !allowed.contains(&used.as_str()));
            violations.extend(foreign.map(|used| format!("{name} is built with {used}")));
        }
        for (technology, knowing) in TECHNOLOGIES {
            if dependencies.normal.contains(technology) && !knowing.contains(&name) {
                violations.push(format!("{name} knows {technology}"));
            }
        }
    }
    violations
}

#[test]
fn crates_depend_on_each_other_only_as_the_architecture_says() {
    let members = members();
    for (name, _) in ARROWS {
        assert!(members.contains_key(&format!("tenantry-{name}")), "{name} is in the table only");
    }
    assert_eq!(violations(&members), Vec::<String>::new());
}

#[test]
fn forbidden_arrows_are_noticed() {
    let of = |normal: &[&str], dev: &[&str]| Dependencies {
        normal: normal.iter().map(ToString::to_string).collect(),
        dev: dev.iter().map(ToString::to_string).collect(),
    };
    for (package, dependencies, expected) in [
        ("tenantry-domain", of(&["tenantry-ports"], &[]), "domain -> ports"),
        ("tenantry-store-diesel", of(&["tenantry-usecases", "diesel"], &[]), "store-diesel -> usecases"),
        ("tenantry-usecases", of(&[], &["tenantry-store-diesel"]), "usecases -> store-diesel"),
        ("tenantry-http-actix", of(&["tenantry-testkit"], &[]), "http-actix -> testkit"),
        ("tenantry-http-actix", of(&["tenantry-security"], &[]), "http-actix -> security"),
        ("tenantry-worker", of(&[], &["tenantry-security"]), "worker -> security"),
        ("tenantry-ports", of(&["tokio"], &[]), "ports is built with tokio"),
        ("tenantry-http-actix", of(&["anyhow"], &[]), "http-actix knows anyhow"),
        ("tenantry-surprise", of(&[], &[]), "surprise is in no table: say where it belongs"),
    ] {
        assert_eq!(violations(&BTreeMap::from([(package.to_owned(), dependencies)])), [expected]);
    }
    for (package, dependencies) in [
        ("tenantry-usecases", of(&["tenantry-domain", "tenantry-ports"], &["tenantry-testkit", "anything"])),
        ("tenantry-http-actix", of(&["tenantry-ports"], &["tenantry-testkit", "tenantry-security"])),
    ] {
        let members = BTreeMap::from([(package.to_owned(), dependencies)]);
        assert_eq!(violations(&members), Vec::<String>::new(), "{package}");
    }
}
