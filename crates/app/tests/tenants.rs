//! `tenants`: what an operator does with tenants on the command line, without a server.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use serde_json::{Value, json};
use support::server::{Server, serve, until};
use support::{Said, directory, run, run_with_input};

const NO_POOL: (&str, &str) = ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "0");

fn json_of(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[test]
fn a_tenant_is_made_with_an_admin_who_can_sign_in() {
    let here = directory();
    let create = [
        "tenants",
        "create",
        "acme",
        "--name",
        "Acme Ltd",
        "--plan",
        "Premium",
        "--admin-email",
        "ann@acme.example",
    ];
    let made = run(here.path(), &create, &[NO_POOL]);
    assert_eq!(made.status, 0, "{}", made.stderr);
    let (sentence, rest) = made.stdout.split_once('\n').unwrap();
    assert_eq!(sentence, "acme is Active");
    let password = rest.strip_prefix("the admin's password: ").unwrap().trim();
    assert!(made.stderr.contains("shown this once"), "{}", made.stderr);

    let given =
        ["tenants", "create", "beta", "--admin-email", "bob@beta.example", "--password-stdin", "--json"];
    let made = run_with_input(here.path(), &given, "a pass phrase of my own\n");
    assert_eq!((made.status, &json_of(&made)["status"]), (0, &json!("Active")), "{}", made.stderr);
    assert!(
        !made.stdout.contains("adminPassword") && !made.stdout.contains("pass phrase"),
        "{}",
        made.stdout
    );

    let server = Server::start(serve(here.path()));
    for (tenant, email, password) in
        [("acme", "ann@acme.example", password), ("beta", "bob@beta.example", "a pass phrase of my own")]
    {
        let login = json!({ "email": email, "password": password });
        let (status, answer) = server.send("POST", &format!("/api/v1/{tenant}/auth/login"), "", &login);
        assert_eq!(status, 200, "{answer}");
    }
    server.stop();
}

#[test]
fn what_is_wrong_with_a_wish_is_said_with_what_to_do() {
    let here = directory();
    assert_eq!(run(here.path(), &["tenants", "create", "acme"], &[NO_POOL]).status, 0);
    for (wrong, expected) in [
        (&["tenants", "create", "acme"][..], "a tenant with slug 'acme' already exists"),
        (&["tenants", "create", "beta", "--cluster", "mars"], "there is no cluster 'mars'"),
        (&["tenants", "show", "nobody"], "there is no tenant 'nobody'"),
        (&["tenants", "resume", "acme"], "acme: a tenant that is Active cannot Resume"),
        (&["tenants", "restore", "acme"], "cannot Restore"),
        (&["tenants", "delete", "acme"], "deleting acme has to be confirmed"),
    ] {
        let said = run(here.path(), wrong, &[NO_POOL]);
        assert_eq!((said.status, &*said.stdout), (1, ""), "{wrong:?}");
        assert!(
            said.stderr.contains(expected) && said.stderr.contains("fix: "),
            "{wrong:?}: {}",
            said.stderr
        );
    }
    let weak = ["tenants", "create", "beta", "--admin-email", "a@b.example", "--password-stdin"];
    let said = run_with_input(here.path(), &weak, "password\n");
    assert_eq!(said.status, 1);
    assert!(said.stderr.contains("choose another password"), "{}", said.stderr);
    for usage in [
        &["tenants", "create", "No Slug"][..],
        &["tenants", "create", "beta", "--plan", "Gold"],
        &["tenants", "create", "beta", "--password-stdin"],
        &["tenants", "list", "--status", "sleepy"],
    ] {
        assert_eq!(run(here.path(), usage, &[NO_POOL]).status, 2, "{usage:?}");
    }
}

#[test]
fn tenants_are_listed_filtered_and_shown_with_their_history() {
    let here = directory();
    let empty = run(here.path(), &["tenants", "list"], &[NO_POOL]);
    assert_eq!((&*empty.stdout, &*empty.stderr), ("", "There are no such tenants.\n"));
    for (slug, plan) in [("acme", "Premium"), ("beta", "Basic"), ("gamma", "Basic")] {
        let said = run(here.path(), &["tenants", "create", slug, "--plan", plan, "--no-wait"], &[NO_POOL]);
        assert_eq!(&*said.stdout, format!("{slug} is QUEUED\n"));
    }
    // Whoever waits works on what others left as well.
    assert_eq!(run(here.path(), &["tenants", "create", "delta"], &[NO_POOL]).status, 0);
    let slugs = |filter: &[&str]| {
        let said = run(here.path(), &[&["tenants", "list", "--json"][..], filter].concat(), &[NO_POOL]);
        let listed = json_of(&said);
        let slug = |tenant: &Value| tenant["slug"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(slug).collect::<Vec<_>>()
    };
    assert_eq!(slugs(&[]), ["delta", "gamma", "beta", "acme"]);
    assert_eq!(slugs(&["--plan", "Premium"]), ["acme"]);
    assert_eq!(slugs(&["--text", "ET"]), ["beta"]);
    assert_eq!(slugs(&["--status", "active", "--limit", "2"]), ["delta", "gamma"]);
    assert_eq!(slugs(&["--status", "Suspended"]), Vec::<String>::new());
    let table = run(here.path(), &["tenants", "list"], &[NO_POOL]).stdout;
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.starts_with("SLUG ") && table.contains("Premium"), "{table}");

    let shown = run(here.path(), &["tenants", "show", "beta"], &[NO_POOL]).stdout;
    for expected in ["status    Active", "ecom_tenant_beta on main", "run 1: provisioning", "CreateDatabase"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let whole = json_of(&run(here.path(), &["tenants", "show", "beta", "--json"], &[NO_POOL]));
    assert_eq!(whole["runs"][0]["steps"][1]["step"], "CreateDatabase");
    let by_id = run(here.path(), &["tenants", "show", whole["id"].as_str().unwrap()], &[NO_POOL]).stdout;
    assert_eq!(by_id, shown);
}

#[test]
fn a_tenant_is_suspended_resumed_deleted_taken_back_and_deleted_for_good() {
    let here = directory();
    let tenants = |wish: &[&str]| run(here.path(), &[&["tenants"][..], wish].concat(), &[NO_POOL]);
    let file = here.path().join("data/tenants/ecom_tenant_acme.db");
    assert_eq!(tenants(&["create", "acme"]).status, 0);
    assert_eq!(tenants(&["suspend", "acme"]).stdout, "acme is Suspended\n");
    assert_eq!(json_of(&tenants(&["resume", "acme", "--json"]))["status"], "Active");
    let going = tenants(&["delete", "acme", "--yes"]);
    assert!(
        going.stdout.starts_with("acme is Deprovisioning: its database is dropped after "),
        "{}",
        going.stdout
    );
    assert!(going.stderr.contains("`tenantry tenants restore acme`"), "{}", going.stderr);
    assert!(file.exists());
    assert_eq!(tenants(&["restore", "acme"]).stdout, "acme is Active\n");
    assert_eq!(tenants(&["delete", "acme", "--yes", "--immediately"]).stdout, "acme is Deleted\n");
    assert!(!file.exists());
    let again = tenants(&["delete", "acme", "--yes"]);
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("acme is Deleted already"), "{}", again.stderr);
    assert_eq!(tenants(&["create", "acme"]).stdout, "acme is Active\n", "the slug is free");
}

#[test]
fn a_failed_tenant_is_tried_again_by_its_slug() {
    let here = directory();
    assert_eq!(run(here.path(), &["migrate"], &[NO_POOL]).status, 0);
    // Somebody else has the name.
    let file = here.path().join("data/tenants/ecom_tenant_acme.db");
    std::fs::write(&file, "").unwrap();
    let failed = run(here.path(), &["tenants", "create", "acme"], &[NO_POOL]);
    assert_eq!(failed.status, 1);
    assert!(
        failed.stdout.starts_with("acme is Failed: A database of that name exists already"),
        "{}",
        failed.stdout
    );
    assert!(failed.stderr.contains("tenantry tenants retry ten_"), "{}", failed.stderr);
    let again = run(here.path(), &["tenants", "retry", "acme"], &[NO_POOL]);
    assert_eq!(again.status, 1);
    std::fs::remove_file(&file).unwrap();
    let again = run(here.path(), &["tenants", "retry", "acme"], &[NO_POOL]);
    assert_eq!((again.status, &*again.stdout), (0, "acme is Active\n"), "{}", again.stderr);
}

#[test]
fn a_running_server_does_the_work_that_is_left_to_it() {
    let here = directory();
    let server = Server::start(serve(here.path()));
    let queued = run(here.path(), &["tenants", "create", "acme", "--no-wait"], &[]);
    assert_eq!(&*queued.stdout, "acme is QUEUED\n");
    until("the server's worker has made it", || {
        let shown = run(here.path(), &["tenants", "show", "acme", "--json"], &[]);
        (json_of(&shown)["status"] == "Active").then_some(())
    });
    server.stop();
}

#[test]
fn completions_name_the_commands() {
    for (shell, expected) in
        [("bash", "complete -F"), ("zsh", "#compdef tenantry"), ("fish", "complete -c tenantry")]
    {
        let said = run(directory().path(), &["completions", shell], &[]);
        assert_eq!(said.status, 0);
        assert!(said.stdout.contains(expected) && said.stdout.contains("doctor"), "{shell}");
    }
}
