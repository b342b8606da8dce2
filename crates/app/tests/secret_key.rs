//! The secret key is replaced while servers run and answer, and the former one is removed afterwards.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use support::server::{Server, serve, until};
use support::{Said, directory, run};
use tenantry_testkit::postgres;

const OLD: &str = "2HadrL6MPmfG7s6Qk3DPLDxken7Gf3Zo1glkxn2oYtA=";
const NEW: &str = "3ME5uW0WU+5oc5ih+Z9XkMpJI5QBO6f8s/ON7o5Vtxg=";
const OPERATOR: &str = "an-operator-key-of-my-own";
const TENANTS: [&str; 3] = ["one", "two", "three"];

/// An installation whose processes are given one or the other secret key.
struct Installation<'a> {
    here: &'a Path,
    databases: Vec<(&'a str, String)>,
}

impl Installation<'_> {
    fn environment(&self, key: &str, previous: &str) -> Vec<(&str, String)> {
        let mut environment = self.databases.clone();
        environment.extend([
            ("TENANTRY_SECRET_KEY", key.to_owned()),
            ("TENANTRY_PREVIOUS_SECRET_KEYS", previous.to_owned()),
            ("TENANTRY_OPERATOR_KEY", OPERATOR.to_owned()),
            ("TENANTRY_PUBLIC_URL", "https://api.example.com".to_owned()),
            // So few that the tenants' databases are connected to again and again.
            ("TENANTRY__TENANT_DATABASES__CONNECTIONS_PER_TENANT", "1".to_owned()),
            ("TENANTRY__TENANT_DATABASES__MAX_OPEN_CONNECTIONS", "2".to_owned()),
            ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "1".to_owned()),
        ]);
        environment
    }

    fn start(&self, key: &str, previous: &str) -> Server {
        let mut command = serve(self.here);
        command.envs(self.environment(key, previous));
        Server::start(command)
    }

    fn run(&self, arguments: &[&str], key: &str, previous: &str) -> Said {
        let environment = self.environment(key, previous);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run(self.here, arguments, &environment)
    }
}

/// An access token for a tenant's key.
fn token(server: &Server, client: &Value) -> String {
    let (id, key) = (client["id"].as_str().unwrap(), client["key"].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
    let (status, answer) = server.send_form("/oauth/token", &form);
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Asks for every tenant's accounts, with keys and with tokens, until it is told to stop; what went wrong.
fn load(server: &Server, clients: &[Value], enough: &AtomicBool, asked: &AtomicUsize) -> Vec<String> {
    let mut wrong = Vec::new();
    while !enough.load(Ordering::SeqCst) {
        for (slug, client) in TENANTS.iter().zip(clients) {
            let token = token(server, client);
            for credential in [client["key"].as_str().unwrap(), &token] {
                let path = format!("/api/v1/tenants/{slug}/accounts");
                let (status, answer) = server.send("GET", &path, credential, &Value::Null);
                asked.fetch_add(1, Ordering::SeqCst);
                if status != 200 {
                    wrong.push(format!("{slug}: {status} {answer}"));
                }
            }
        }
    }
    wrong
}

fn replaced_under_load(installation: &Installation<'_>) {
    let first = installation.start(OLD, "");
    let clients: Vec<Value> = TENANTS
        .iter()
        .map(|slug| {
            let admin = json!({ "email": "admin@acme.example", "password": "a long pass phrase" });
            let wish = json!({ "name": "Acme Corp", "subdomain": slug, "admin": admin });
            assert_eq!(first.send("POST", "/api/v1/tenants", OPERATOR, &wish).0, 201);
            let wish = json!({ "name": "n", "scopes": ["accounts:read", "accounts:write"] });
            let path = format!("/api/v1/tenants/{slug}/api-keys");
            first.send("POST", &path, OPERATOR, &wish).1
        })
        .collect();
    let announce = json!({ "name": "Late Ltd", "slug": "late", "plan": "Basic" });
    let (_, announced) = first.send("POST", "/provision/tenants/init", "", &announce);
    let confirm_token = announced["confirmToken"].as_str().unwrap().to_owned();
    let early = token(&first, &clients[0]);
    first.stop();

    // One replica after the other: first they all know the new key, then they all use it.
    let (behind, ahead) = (installation.start(OLD, NEW), installation.start(NEW, OLD));
    let unfinished = installation.run(&["doctor"], NEW, OLD);
    assert!(unfinished.stdout.contains("tenantry keys rewrap"), "{}", unfinished.stdout);
    let (enough, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (rewrapped, wrong) = thread::scope(|scope| {
        let load = |server| load(server, &clients, &enough, &asked);
        let threads = [&behind, &ahead].map(|server| scope.spawn(move || load(server)));
        until("there is load", || (asked.load(Ordering::SeqCst) > 20).then_some(()));
        let rewrapped = until("nothing is being made any more", || {
            let said = installation.run(&["keys", "rewrap", "--json"], NEW, OLD);
            (!said.stderr.contains("are being made")).then_some(said)
        });
        let before = asked.load(Ordering::SeqCst);
        until("there was load afterwards", || (asked.load(Ordering::SeqCst) > before + 20).then_some(()));
        enough.store(true, Ordering::SeqCst);
        (rewrapped, threads.map(|thread| thread.join().unwrap()).concat())
    });
    assert_eq!(wrong, [""; 0], "of {}", asked.into_inner());
    assert_eq!(rewrapped.status, 0, "{}", rewrapped.stderr);
    let told: Value = serde_json::from_str(&rewrapped.stdout).unwrap();
    assert!(told["sealed"] == 1 && told["logins"].as_u64().unwrap() >= 3, "{told}");
    assert!(told["previousKeysNeededUntil"].is_string(), "{told}");
    let again = installation.run(&["keys", "rewrap", "--json"], NEW, OLD);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&again["sealed"], &again["logins"]), (&json!(0), &json!(0)), "once is enough");
    let done = installation.run(&["doctor"], NEW, OLD);
    assert!(done.stdout.contains("are accepted until"), "{}", done.stdout);

    // What was signed with the former key is accepted as long as that is known.
    let confirmed = ahead.send("POST", "/provision/tenants/confirm", &confirm_token, &Value::Null);
    assert_eq!(confirmed.0, 200, "{}", confirmed.1);
    behind.stop();
    ahead.stop();

    let alone = installation.start(NEW, "");
    for (slug, client) in TENANTS.iter().zip(&clients) {
        let path = format!("/api/v1/tenants/{slug}/accounts");
        let token = token(&alone, client);
        for credential in [client["key"].as_str().unwrap(), &token] {
            assert_eq!(alone.send("GET", &path, credential, &Value::Null).0, 200, "{slug}");
        }
    }
    let path = "/api/v1/tenants/one/accounts";
    assert_eq!(
        alone.send("GET", path, &early, &Value::Null).0,
        200,
        "signed before, with a key that is there"
    );
    let healthy = installation.run(&["doctor"], NEW, "");
    assert_eq!(healthy.status, 0, "{}", healthy.stdout);
    assert!(!healthy.stdout.contains("secret key"), "{}", healthy.stdout);
    let lost = installation.run(&["doctor"], OLD, "");
    assert_eq!(lost.status, 1, "{}", lost.stdout);
    assert!(lost.stdout.contains("sealed with another secret key"), "{}", lost.stdout);
    alone.stop();
}

#[test]
fn it_is_replaced_under_load_with_sqlite() {
    let here = directory();
    replaced_under_load(&Installation { here: here.path(), databases: Vec::new() });
}

#[test]
fn it_is_replaced_under_load_with_postgresql() {
    let Some(databases) = postgres::shared() else {
        return;
    };
    let here = directory();
    let databases = vec![
        ("TENANTRY_DATABASE_URL", databases.fresh_database("app_").to_string()),
        ("TENANTRY__TENANT_DATABASES__PREFIX", databases.fresh_prefix().to_string()),
    ];
    replaced_under_load(&Installation { here: here.path(), databases });
}

#[test]
fn a_previous_key_that_is_none_is_refused_without_being_shown() {
    let here = directory();
    let said = run(here.path(), &["config", "check"], &[("TENANTRY_PREVIOUS_SECRET_KEYS", "hunter2")]);
    assert_eq!(said.status, 1);
    assert!(said.stderr.contains("secrets.previous_secret_keys") && !said.stderr.contains("hunter2"));
}
