//! `tenantry notices`: what was told outside, and what could not be.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::net::TcpListener;

use serde_json::{Value, json};
use support::server::{Server, serve, until};
use support::{directory, run};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn operators_see_what_waits_why_and_of_whom() {
    let here = directory();
    let none = run(here.path(), &["notices"], &[]);
    assert_eq!((none.status, &*none.stdout, &*none.stderr), (0, "", "There are no such notices.\n"));

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = serve(here.path());
    command
        .env("TENANTRY__NOTIFICATIONS__WEBHOOK__URL", format!("http://{nobody}/hooks"))
        .env("TENANTRY_WEBHOOK_SECRETS", SECRET);
    let server = Server::start(command);
    let admin = json!({ "email": "admin@example.com", "password": "a long pass phrase" });
    let tenant = json!({ "name": "Acme Ltd", "subdomain": "acme", "admin": admin });
    let (status, created) = server.send("POST", "/api/v1/tenants", "", &tenant);
    assert_eq!(status, 201, "{created}");

    let list = |arguments: &[&str]| run(here.path(), &[&["notices"], arguments].concat(), &[]);
    let waiting = until("a call failed", || {
        let said = list(&["--status", "pending", "--tenant", "acme", "--limit", "100", "--json"]);
        let waiting: Vec<Value> = serde_json::from_str(&said.stdout).unwrap();
        waiting.iter().any(|notice| notice["lastError"] != Value::Null).then_some(waiting)
    });
    let oldest = waiting.last().unwrap();
    assert_eq!((&oldest["channel"], &oldest["status"]), (&json!("webhook"), &json!("pending")));
    assert_eq!(oldest["eventType"], "tenant.provisioning.queued");
    let error = oldest["lastError"].as_str().unwrap();
    assert!(error.starts_with("no answer: ") && !error.contains("/hooks"), "{error}");
    assert!(oldest["attempts"].as_u64() > Some(0) && oldest["dueAt"].is_string(), "{oldest}");

    let text = list(&["--tenant", "acme"]).stdout;
    let line = text.lines().last().unwrap();
    for part in [
        "webhook",
        "tenant.provisioning.queued",
        "ten_",
        "pending, due ",
        "attempts: ",
        "last error: no answer",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let delivered = list(&["--status", "delivered", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&delivered.stdout).unwrap(), json!([]));
    let unknown = list(&["--tenant", "nobody"]);
    assert!(unknown.status == 1 && unknown.stderr.contains("there is no tenant 'nobody'"), "{unknown:?}");
    assert_eq!(list(&["--status", "lost"]).status, 2);

    let log = server.stop();
    assert!(log.contains("Could not tell tenant.provisioning.queued of tenant ten_"), "{log}");
    assert!(!log.contains("/hooks") && !log.contains(&SECRET[6..]), "{log}");
}
