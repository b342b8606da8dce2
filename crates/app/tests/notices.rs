//! `tenantry notices`: what was told outside, and what could not be.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A receiver that wants none of it until it is told to take everything.
fn receiver(takes: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for call in listener.incoming() {
            let mut call = BufReader::new(call.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while call.read_line(&mut line).is_ok_and(|read| read > 2) {
                let header = line.to_lowercase();
                length = header.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                line.clear();
            }
            let mut body = vec![0; length];
            if call.read_exact(&mut body).is_err() {
                continue;
            }
            let status = if takes.load(Ordering::SeqCst) { "204 No Content" } else { "410 Gone" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = call.get_mut().write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn what_was_given_up_is_sent_again_when_the_operator_says_so() {
    let (here, takes) = (directory(), Arc::new(AtomicBool::new(false)));
    let address = receiver(Arc::clone(&takes));
    let mut command = serve(here.path());
    command
        .env("TENANTRY__NOTIFICATIONS__WEBHOOK__URL", format!("http://{address}/hooks"))
        .env("TENANTRY_WEBHOOK_SECRETS", SECRET);
    let server = Server::start(command);
    let admin = json!({ "email": "admin@example.com", "password": "a long pass phrase" });
    let tenant = json!({ "name": "Acme Ltd", "subdomain": "acme", "admin": admin });
    let (status, created) = server.send("POST", "/api/v1/tenants", "", &tenant);
    assert_eq!(status, 201, "{created}");

    let list = |status: &str| {
        let said = run(here.path(), &["notices", "--status", status, "--limit", "100", "--json"], &[]);
        serde_json::from_str::<Vec<Value>>(&said.stdout).unwrap()
    };
    let resend = |what: &str| run(here.path(), &["notices", "resend", what], &[]);
    // Everything that there is to tell was written down with the tenant that was answered with.
    until("everything was given up", || list("pending").is_empty().then_some(()));
    let lost = list("given-up");
    assert!(lost.len() > 2, "{lost:?}");
    let id = lost[0]["id"].as_str().unwrap();
    let text = run(here.path(), &["notices", "--status", "given-up"], &[]).stdout;
    assert!(text.contains(id), "the list shows what to name: {text}");

    takes.store(true, Ordering::SeqCst);
    assert_eq!(&*resend(id).stdout, "1 notice is due again; a worker sends it.\n");
    until("it was delivered", || list("delivered").iter().any(|notice| notice["id"] == id).then_some(()));
    assert_eq!(list("given-up").len(), lost.len() - 1, "and no other");
    let again = resend(id);
    assert!(again.status == 1 && again.stderr.contains("--status given-up"), "{again:?}");

    let rest = lost.len() - 1;
    assert_eq!(resend("--given-up").stdout, format!("{rest} notices are due again; a worker sends them.\n"));
    until("all were delivered", || (list("delivered").len() == lost.len()).then_some(()));
    assert_eq!(&*resend("--given-up").stdout, "0 notices are due again; a worker sends them.\n");
    assert_eq!(run(here.path(), &["notices", "resend"], &[]).status, 2, "it has to be said which");
    server.stop();
}
