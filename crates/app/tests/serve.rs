//! The server from its first start to its end.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::server::{Server, serve, until};
use support::{directory, run};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The commands that a banner prints, as a script.
fn first_steps(banner: &str) -> String {
    let commands = ["OPERATOR_KEY=", "KEY=", "curl "];
    let steps = banner.lines().filter_map(|line| line.strip_prefix("  "));
    steps
        .filter(|line| commands.iter().any(|command| line.starts_with(command)))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn new_tenant(slug: &str) -> Value {
    json!({ "name": format!("{slug} Ltd"), "subdomain": slug,
            "admin": { "email": "admin@example.com", "password": "a long pass phrase" } })
}

const SCOPES: [&str; 2] = ["accounts:read", "accounts:write"];

#[test]
fn a_server_whose_tenants_may_call_what_is_near_says_so_in_its_log() {
    let here = directory();
    for (lowered, setting) in [(false, ""), (true, "webhooks.allow_networks is set")] {
        let mut command = serve(here.path());
        if lowered {
            command.env("TENANTRY__WEBHOOKS__ALLOW_NETWORKS", "10.1.0.0/16");
        }
        let log = Server::start(command).stop();
        let warned = log.lines().any(|line| line.contains("WARN") && line.contains(setting));
        assert!(warned == lowered && log.contains("10.1.0.0/16") == lowered, "{log}");
    }
}

#[test]
fn the_first_start_makes_everything_and_its_first_steps_work_as_printed() {
    let here = directory();
    let server = Server::start(serve(here.path()));
    let script = first_steps(&server.banner);
    assert_eq!(script.lines().count(), 5, "{}", server.banner);
    let steps = Command::new("sh").args(["-euc", &script]).output().unwrap();
    let printed = String::from_utf8(steps.stdout).unwrap();
    assert!(steps.status.success(), "{printed}");
    assert!(
        printed.contains("\"configId\":\"my-50k-v1\"") && printed.contains("\"accountId\":\"acc_"),
        "{printed}"
    );

    let data = here.path().join("data");
    assert_eq!((mode(&data), mode(&data.join("secret.key"))), (0o700, 0o600));
    let key = script.lines().next().unwrap().split('\'').nth(1).unwrap().to_owned();
    let log = server.stop();
    assert!(!log.contains(&key), "the key is not logged");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }

    let secret = fs::read(data.join("secret.key")).unwrap();
    let server = Server::start(serve(here.path()));
    assert!(!server.banner.contains("tnt_op_") && !server.banner.contains("curl"), "{}", server.banner);
    assert_eq!(fs::read(data.join("secret.key")).unwrap(), secret);
    let (status, _) = server.send(
        "POST",
        "/api/v1/tenants/hello/api-keys",
        &key,
        &json!({ "name": "n", "scopes": SCOPES }),
    );
    assert_eq!(status, 201, "the first start's key still works");
    assert!(server.memory() < 32 << 20, "{} bytes", server.memory());
    server.stop();
}

fn with_one_thread(directory: &Path) -> Command {
    let mut command = serve(directory);
    command.env("TENANTRY__SERVER__WORKERS", "1");
    command
}

/// A request that has begun: its body is `rest` short of complete.
fn begun(server: &Server, rest: &str) -> TcpStream {
    let body = r#"{"name":"Acme Corp","slug":"acme","plan":"Basic"}"#;
    let sent = body.strip_suffix(rest).unwrap();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let length = body.len();
    let head = format!(
        "POST /provision/tenants/init HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}"
    );
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{sent}").as_bytes()).unwrap();
    // The one thread answers in order, so by now it has seen this request, too.
    assert_eq!(server.send("GET", "/health/live", "", &Value::Null).0, 200);
    stream
}

fn stopping(server: &Server) {
    server.signal("TERM");
    until("it accepts nobody any more", || TcpStream::connect(&server.address).is_err().then_some(()));
}

#[test]
fn a_stop_finishes_what_has_begun() {
    let here = directory();
    let server = Server::start(with_one_thread(here.path()));
    let mut request = begun(&server, "}");
    stopping(&server);
    request.write_all(b"}").unwrap();
    let mut answer = String::new();
    let read = request.read_to_string(&mut answer);
    let (status, log) = server.ended();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("confirmToken"),
        "{read:?} {answer}\n{log}"
    );
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn a_second_signal_does_not_wait_for_anything() {
    let here = directory();
    let server = Server::start(with_one_thread(here.path()));
    let _never_finished = begun(&server, "}");
    stopping(&server);
    server.signal("TERM");
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(1), "{log}");
}

#[test]
fn ctrl_c_stops_it_too() {
    let here = directory();
    let server = Server::start(serve(here.path()));
    server.signal("INT");
    assert_eq!(server.ended().0.code(), Some(0));
}

#[test]
fn an_operators_key_of_ones_own_works_and_none_is_made() {
    let here = directory();
    let key = "an-operator-key-of-my-own";
    let mut command = serve(here.path());
    command.env("TENANTRY_OPERATOR_KEY", key);
    let server = Server::start(command);
    assert!(!server.banner.contains("tnt_op_") && !server.banner.contains(key), "{}", server.banner);
    assert_eq!(server.send("POST", "/api/v1/tenants", "", &new_tenant("acme")).0, 201);
    let wish = json!({ "name": "n", "scopes": SCOPES });
    let path = "/api/v1/tenants/acme/api-keys";
    assert_eq!(server.send("POST", path, "an-operator-key-of-my-owm", &wish).0, 401);
    assert_eq!(server.send("POST", path, key, &wish).0, 201);
    let keys = run(here.path(), &["keys", "list", "--operator", "--json"], &[]);
    let listed: Value = serde_json::from_str(&keys.stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["createdBy"]), (1, &json!("settings")));
    assert!(!keys.stdout.contains(key));
    assert!(!server.stop().contains(key), "it is not logged");

    let mut command = serve(here.path());
    command.env("TENANTRY_OPERATOR_KEY", "another-operator-key-of-my-own");
    let server = Server::start(command);
    assert_eq!(server.send("POST", path, key, &wish).0, 401, "the former one no longer works");
    assert_eq!(server.send("POST", path, "another-operator-key-of-my-own", &wish).0, 201);
    server.stop();
}

#[test]
fn where_the_settings_say_so_only_the_operator_orders_tenants() {
    let here = directory();
    let key = "an-operator-key-of-my-own";
    let mut command = serve(here.path());
    command.env("TENANTRY_OPERATOR_KEY", key).env("TENANTRY_PROVISIONING_ACCESS", "operator");
    let server = Server::start(command);
    let announcement = json!({ "name": "Acme Corp", "slug": "acme", "plan": "Basic" });
    for nobody in ["", "an-operator-key-of-my-owm"] {
        assert_eq!(server.send("POST", "/api/v1/tenants", nobody, &new_tenant("acme")).0, 401);
        assert_eq!(server.send("POST", "/provision/tenants/init", nobody, &announcement).0, 401);
    }
    assert_eq!(server.send("POST", "/provision/tenants/init", key, &announcement).0, 200);
    assert_eq!(server.send("POST", "/api/v1/tenants", key, &new_tenant("hello")).0, 201);
    server.stop();
}

#[test]
fn api_and_worker_may_be_different_processes() {
    let here = directory();
    let mut command = serve(here.path());
    command.args(["serve", "--role", "api"]);
    let api = Server::start(command);
    let wish = json!({ "name": "Acme Corp", "slug": "acme", "plan": "Basic" });
    let (_, announced) = api.send("POST", "/provision/tenants/init", "", &wish);
    let token = announced["confirmToken"].as_str().unwrap();
    assert_eq!(api.send("POST", "/provision/tenants/confirm", token, &Value::Null).0, 200);
    let path = format!("/provision/tenants/{}/status", announced["provisioningId"].as_str().unwrap());
    assert_eq!(api.send("GET", &path, "", &Value::Null).1["status"], "QUEUED");

    let mut command = serve(here.path());
    command.args(["serve", "--role", "worker"]);
    let worker = Server::start(command);
    until("the worker has made it", || {
        (api.send("GET", &path, "", &Value::Null).1["status"] == "Active").then_some(())
    });
    worker.stop();
    api.stop();
}

#[test]
fn keys_are_made_listed_and_revoked_while_a_server_runs() {
    let here = directory();
    let server = Server::start(serve(here.path()));
    assert_eq!(server.send("POST", "/api/v1/tenants", "", &new_tenant("acme")).0, 201);

    let quiet = ["keys", "create", "--tenant", "acme", "--scopes", "accounts:read,accounts:write", "--quiet"];
    let said = run(here.path(), &quiet, &[]);
    assert_eq!((said.status, &*said.stderr), (0, ""));
    let key = said.stdout.strip_suffix('\n').unwrap();
    assert!(key.starts_with("tnt_live_") && !key.contains(char::is_whitespace), "the key alone: {key:?}");
    let account = json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" });
    assert_eq!(server.send("POST", "/api/v1/tenants/acme/accounts", key, &account).0, 201);

    let json =
        ["keys", "create", "--operator", "--name", "mine", "--expires-at", "2999-01-31T00:00:00Z", "--json"];
    let made: Value = serde_json::from_str(&run(here.path(), &json, &[]).stdout).unwrap();
    assert!(made["key"].as_str().unwrap().starts_with("tnt_op_"), "{made}");
    assert_eq!((&made["name"], &made["expiresAt"]), (&json!("mine"), &json!("2999-01-31T00:00:00Z")));

    let listed = run(here.path(), &["keys", "list", "--tenant", "acme", "--json"], &[]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["state"], &listed[0]["scopes"]), (&json!("live"), &json!(SCOPES)));
    assert!(listed[0]["key"].is_null() && !listed.to_string().contains(key));
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(run(here.path(), &["keys", "revoke", "--operator", id], &[]).status, 1, "not the operator's");
    assert_eq!(run(here.path(), &["keys", "revoke", "--tenant", "acme", id], &[]).status, 0);
    // It was another process that revoked the key: the server may remember it for a moment, but no longer.
    until("the revoked key no longer works", || {
        (server.send("POST", "/api/v1/tenants/acme/accounts", key, &account).0 == 401).then_some(())
    });
    let table = run(here.path(), &["keys", "list", "--tenant", "acme"], &[]).stdout;
    assert!(table.starts_with("ID ") && table.contains(id) && table.contains("revoked"), "{table}");

    for (wrong, message) in [
        (
            &["keys", "create", "--tenant", "nobody", "--scopes", "accounts:read"][..],
            "there is no tenant 'nobody'",
        ),
        (&["keys", "create", "--tenant", "acme"], "at least one scope"),
        (&["keys", "create", "--operator", "--expires-at", "2001-01-01T00:00:00Z"], "must lie in the future"),
    ] {
        let said = run(here.path(), wrong, &[]);
        assert_eq!((said.status, &*said.stdout), (1, ""), "{wrong:?}");
        assert!(said.stderr.contains(message), "{}", said.stderr);
    }
    let unknown = run(here.path(), &["keys", "create", "--tenant", "acme", "--scopes", "accounts:rite"], &[]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("accounts:write"), "{}", unknown.stderr);
    server.stop();
}
