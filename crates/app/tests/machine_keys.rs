//! Machines' credentials, made and looked after on the command line while servers run.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use serde_json::Value;
use support::server::{Server, serve, until};
use support::{directory, run};
use tenantry_ports::{SigningKey, StoreError};
use tenantry_store_diesel::{StoreSettings, Stores};

const OPERATOR: (&str, &str) = ("TENANTRY_OPERATOR_KEY", "an-operator-key-of-my-own");
const URL: (&str, &str) = ("TENANTRY_PUBLIC_URL", "https://api.example.com");

/// Two servers over one SQLite database, with a tenant.
fn servers(here: &std::path::Path) -> [Server; 2] {
    let start = || {
        let mut command = serve(here);
        command.envs([OPERATOR, URL]);
        Server::start(command)
    };
    let servers = [start(), start()];
    let made = run(
        here,
        &["tenants", "create", "acme", "--name", "Acme", "--admin-email", "a@acme.example", "--json"],
        &[OPERATOR],
    );
    assert_eq!(made.status, 0, "{}", made.stderr);
    servers
}

fn accounts(server: &Server, credential: &str) -> u16 {
    server.send("GET", "/api/v1/tenants/acme/accounts", credential, &Value::Null).0
}

fn kids(server: &Server) -> Vec<String> {
    let (_, set) = server.send("GET", "/.well-known/jwks.json", "", &Value::Null);
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_is_replaced_at_once() {
    let here = directory();
    let [one, other] = servers(here.path());
    let tenantry = |arguments: &[&str]| run(here.path(), arguments, &[OPERATOR]);
    let made = tenantry(&["keys", "create", "--tenant", "acme", "--scopes", "accounts:read", "--json"]);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let (id, old) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!((accounts(&one, old), accounts(&other, old)), (200, 200));
    let refused = tenantry(&["keys", "rotate", "--operator", id]);
    assert_eq!(refused.status, 1, "not the operator's: {}", refused.stdout);
    let rotated = tenantry(&["keys", "rotate", "--tenant", "acme", id, "--overlap", "0s", "--quiet"]);
    assert_eq!(rotated.status, 0, "{}", rotated.stderr);
    let new = rotated.stdout.trim();
    for server in [&one, &other] {
        assert_eq!(accounts(server, new), 200);
        until("the old key is refused", || (accounts(server, old) == 401).then_some(()));
    }
    let again = tenantry(&["keys", "rotate", "--tenant", "acme", id]);
    assert_eq!(again.status, 1);
    assert!(again.stderr.contains("revoked or has expired"), "{}", again.stderr);
    // What is left to write down is written when a server stops.
    one.stop();
    other.stop();
    let listed = tenantry(&["keys", "list", "--tenant", "acme", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(listed.as_array().unwrap().iter().all(|key| key["lastUsedAt"].is_string()), "{listed}");
}

#[test]
fn a_rotation_of_the_signing_key_reaches_every_server_without_a_restart() {
    let here = directory();
    let servers = servers(here.path());
    let [one, other] = &servers;
    let first = kids(one);
    assert_eq!((first.len(), kids(other)), (1, first.clone()), "one of them made it");
    let tenantry = |arguments: &[&str]| run(here.path(), arguments, &[OPERATOR]);
    let made = tenantry(&["keys", "create", "--tenant", "acme", "--scopes", "accounts:read", "--json"]);
    let client: Value = serde_json::from_str(&made.stdout).unwrap();
    let (id, key) = (client["id"].as_str().unwrap(), client["key"].as_str().unwrap());
    let token = |server: &Server| -> String {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
        server.send_form("/oauth/token", &form).1["access_token"].as_str().unwrap().to_owned()
    };
    let stolen = token(one);
    assert_eq!((accounts(one, &stolen), accounts(other, &stolen)), (200, 200), "good on both");

    let rotated = tenantry(&["keys", "rotate-signing"]);
    assert_eq!(rotated.status, 0, "{}", rotated.stderr);
    let second = rotated.stdout.trim().to_owned();
    for server in &servers {
        until("the new key is published", || (kids(server).len() == 2).then_some(()));
        assert_eq!(kids(server), [second.clone(), first[0].clone()]);
    }
    assert_eq!(tenantry(&["keys", "rotate-signing"]).status, 1, "one at a time");
    let table = tenantry(&["keys", "signing"]).stdout;
    assert!(table.contains("signing") && table.contains("published"), "{table}");

    assert_eq!(tenantry(&["keys", "rotate-signing", "--compromised"]).status, 0);
    for server in &servers {
        until("what was signed before is refused", || (accounts(server, &stolen) == 401).then_some(()));
        assert_eq!(kids(server).len(), 1);
        assert_eq!(accounts(server, &token(server)), 200);
    }
    let listed = tenantry(&["keys", "signing", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let states: Vec<_> =
        listed.as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["retired", "retired", "signing"]);
}

/// Whoever can write to the control database cannot have one key sign in another's name.
#[test]
fn a_sealed_key_that_is_moved_to_another_row_does_not_sign() {
    let here = directory();
    let [one, _other] = servers(here.path());
    let tenantry = |arguments: &[&str]| run(here.path(), arguments, &[OPERATOR]);
    let made = tenantry(&["keys", "create", "--tenant", "acme", "--scopes", "accounts:read", "--json"]);
    let client: Value = serde_json::from_str(&made.stdout).unwrap();
    let (id, key) = (client["id"].as_str().unwrap(), client["key"].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
    assert_eq!(one.send_form("/oauth/token", &form).0, 200);
    assert_eq!(tenantry(&["keys", "rotate-signing"]).status, 0);

    let data = here.path().join("data");
    let url = format!("sqlite:{}", data.join("control.db").display()).parse().unwrap();
    let stores = Stores::open(&StoreSettings::new(url, &data)).unwrap();
    let swapped = stores.control().write::<_, StoreError>(|tx| {
        let keys = tx.signing_keys().all()?;
        let sealed = keys.iter().rev().map(|key| key.sealed_private.clone());
        for (key, sealed_private) in keys.iter().zip(sealed) {
            let version = key.version + 1;
            tx.signing_keys().update(&SigningKey { sealed_private, version, ..key.clone() })?;
        }
        Ok(keys.len())
    });
    assert_eq!(swapped.unwrap(), 2);
    let refused = until("the server has read it", || {
        let (status, answer) = one.send_form("/oauth/token", &form);
        (status != 200).then_some((status, answer))
    });
    assert_eq!((refused.0, &refused.1["code"]), (500, &"internal_error".into()), "{}", refused.1);
    let log = one.stop();
    assert!(log.contains("altered or moved"), "{log}");
    let told = tenantry(&["doctor"]).stdout;
    assert!(told.contains("rotate-signing --compromised"), "{told}");
}
