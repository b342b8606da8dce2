//! Machines and their credentials: keys, tokens, and what becomes of both.

use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_tests::{Backend, Client, Installation, PATIENCE, Response, Tenantry, for_each_backend};

use crate::steps::tenant;

const ACCOUNTS: &str = "/api/v1/tenants/acme/accounts";
const KEYS: &str = "/api/v1/tenants/acme/api-keys";
const URL: &[(&str, &str)] = &[("TENANTRY_PUBLIC_URL", "https://api.example.com")];

/// A key of acme that may read accounts: its id and text.
pub(crate) fn key(operator: &mut Client) -> (String, String) {
    let wish = json!({ "name": "Website", "scopes": ["accounts:read"] });
    parts(&operator.post(KEYS, &wish).expect(201))
}

fn parts(made: &Response) -> (String, String) {
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

/// Asks for a token as a client of OAuth 2.0 does.
pub(crate) fn ask(client: &mut Client, id: &str, key: &str) -> Response {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
    let request = client.request("POST", "/oauth/token");
    request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send()
}

pub(crate) fn token(client: &mut Client, id: &str, key: &str) -> String {
    ask(client, id, key).expect(200).json()["access_token"].as_str().unwrap().to_owned()
}

fn accounts(client: &mut Client, credential: &str) -> u16 {
    client.request("GET", ACCOUNTS).bearer(credential).send().status
}

#[test]
fn a_machine_gets_a_token_and_uses_it() {
    for_each_backend(|backend| {
        let tenantry = Installation::with(backend, URL).start();
        tenant(&tenantry, "acme");
        let (id, key) = key(&mut tenantry.operator());
        let mut website = tenantry.client();
        let answer = ask(&mut website, &id, &key).expect(200);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let answer = answer.json();
        assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("accounts:read")));
        assert_eq!(accounts(&mut website, answer["access_token"].as_str().unwrap()), 200);
        let refused = ask(&mut website, &id, "wrong").expect(401);
        assert_eq!(refused.json()["error"], "invalid_client");
        let metadata = website.get("/.well-known/oauth-authorization-server").expect(200).json();
        assert_eq!(metadata["issuer"], "https://api.example.com");
        let set = website.get("/.well-known/jwks.json").expect(200);
        let etag = set.header("ETag").unwrap().to_owned();
        assert_eq!(set.json()["keys"].as_array().unwrap().len(), 1);
        let again = website.request("GET", "/.well-known/jwks.json").header("If-None-Match", &etag).send();
        again.expect(304);
    });
}

/// Three processes that have each just taken the key and a token of it.
#[test]
fn a_revoked_key_and_its_tokens_are_refused_by_three_replicas_within_a_second() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, URL);
        let replicas = [installation.start(), installation.start(), installation.start()];
        tenant(&replicas[0], "acme");
        let mut operator = replicas[0].operator();
        let (id, key) = key(&mut operator);
        let token = token(&mut replicas[1].client(), &id, &key);
        let mut clients = replicas.each_ref().map(Tenantry::client);
        for client in &mut clients {
            assert_eq!((accounts(client, &key), accounts(client, &token)), (200, 200));
        }
        operator.request("DELETE", &format!("{KEYS}/{id}")).send().expect(204);
        let revoked = Instant::now();
        let mut refused = [[false; 2]; 3];
        while refused != [[true; 2]; 3] {
            for (client, refused) in clients.iter_mut().zip(&mut refused) {
                for (credential, refused) in [&key, &token].into_iter().zip(refused) {
                    let sent = revoked.elapsed();
                    match accounts(client, credential) {
                        401 => *refused = true,
                        status => {
                            assert_eq!(status, 200);
                            assert!(sent < Duration::from_secs(1), "still taken after {sent:?}");
                            assert!(!*refused, "refused once, and then taken");
                        }
                    }
                }
            }
        }
        assert_eq!(ask(&mut clients[2], &id, &key).status, 401);
    });
}

#[test]
fn a_key_is_exchanged_without_a_gap() {
    for_each_backend(|backend| {
        let tenantry = Installation::with(backend, URL).start();
        tenant(&tenantry, "acme");
        let mut operator = tenantry.operator();
        let (id, old) = key(&mut operator);
        let mut website = tenantry.client();
        let rotate = format!("{KEYS}/{id}/rotate");
        let (new_id, new) = parts(&operator.request("POST", &rotate).send().expect(201));
        assert_eq!((accounts(&mut website, &old), accounts(&mut website, &new)), (200, 200));
        let record = operator.get(&format!("{KEYS}/{id}")).expect(200).json();
        assert!(record["expiresAt"].is_string() && record["createdBy"].is_string(), "{record}");
        let at_once = json!({ "overlapSeconds": 0 });
        let (_, newer) = parts(&operator.post(&format!("{KEYS}/{new_id}/rotate"), &at_once).expect(201));
        assert_eq!((accounts(&mut website, &new), accounts(&mut website, &newer)), (401, 200));
        assert_eq!(accounts(&mut website, &old), 200, "it has its day");
    });
}

/// Keys and tokens are in answers and in the hands of those they were made for: in no log, and in no database.
#[test]
fn no_credential_is_kept_in_the_clear() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, &[URL[0], ("TENANTRY_LOG", "trace")]);
        let mut tenantry = installation.start();
        tenant(&tenantry, "acme");
        let mut operator = tenantry.operator();
        let wish = json!({ "name": "Website", "scopes": ["accounts:read"] });
        let send = |operator: &mut Client| {
            operator.request("POST", KEYS).header("Idempotency-Key", "k1").json(&wish).send().expect(201)
        };
        let first = send(&mut operator);
        let (id, key) = parts(&first);
        let again = send(&mut operator);
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
        assert_eq!(again.text(), first.text(), "the very same answer, with the key in it");
        let mut website = tenantry.client();
        let token = token(&mut website, &id, &key);
        assert_eq!((accounts(&mut website, &key), accounts(&mut website, &token)), (200, 200));
        accounts(&mut website, &format!("{token}x"));
        ask(&mut website, &id, &format!("{key}x"));
        tenantry.terminate();
        // What follows the public part of a key; and a token's signature.
        let canaries = [&key[21..49], token.rsplit('.').next().unwrap()];
        let log = tenantry.log();
        assert!(log.len() > 1_000, "there is a log");
        for canary in canaries {
            assert!(!log.contains(canary), "in the log");
        }
        let stored = match installation.backend() {
            Backend::Sqlite => bytes_below(&installation.directory().join("data")),
            Backend::Postgres(server) => {
                let dump = "SELECT string_agg(k::text, ' ') FROM api_keys k";
                let keys = server.query(&installation.control_database(), dump).unwrap();
                assert!(keys.contains(&id), "{keys}");
                keys.into_bytes()
            }
        };
        for canary in canaries {
            let found = stored.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "in the database");
        }
    });
}

fn bytes_below(directory: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { bytes_below(&path) } else { std::fs::read(path).unwrap() });
    }
    assert!(!bytes.is_empty());
    bytes
}

/// Whoever can write to the control database cannot have one key sign in another's name.
#[test]
fn a_sealed_key_that_is_moved_to_another_row_does_not_sign() {
    let Some(backend @ Backend::Postgres(server)) = Backend::postgres() else { return };
    let installation = Installation::with(backend, URL);
    let mut tenantry = installation.start();
    tenant(&tenantry, "acme");
    let (id, key) = key(&mut tenantry.operator());
    let mut website = tenantry.client();
    token(&mut website, &id, &key);
    let rotated = installation.command().args(["keys", "rotate-signing"]).output().unwrap();
    assert!(rotated.status.success(), "{rotated:?}");
    let swap = "UPDATE signing_keys AS one SET sealed_private = other.sealed_private \
                FROM signing_keys AS other WHERE one.kid <> other.kid";
    server.query(&installation.control_database(), swap).unwrap();
    // As soon as the server has read it: an error, and no token.
    let begin = Instant::now();
    let answer = loop {
        let answer = ask(&mut website, &id, &key);
        if answer.status != 200 {
            break answer;
        }
        assert!(begin.elapsed() < PATIENCE, "it signs with a key that was moved");
        std::thread::sleep(Duration::from_millis(20));
    };
    let problem = answer.expect(500).json();
    assert_eq!(problem["code"], "internal_error", "{problem}");
    tenantry.wait_for_log("altered or moved");
    let doctor = installation.command().arg("doctor").output().unwrap();
    let told = String::from_utf8(doctor.stdout).unwrap();
    assert!(told.contains("rotate-signing --compromised"), "{told}");
}
