//! What happened in a tenant: told as it happens, on whichever process, and nobody can change it unseen.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Output;

use serde_json::{Value, json};
use tenantry_tests::{Backend, Client, Installation, PATIENCE, Tenantry, for_each_backend};

use crate::steps::tenant;

pub(crate) const EVENTS: &str = "/api/v1/tenants/acme/events";

/// A caller with a key of acme that may provision accounts and read events.
pub(crate) fn caller(tenantry: &Tenantry) -> Client {
    let body = json!({ "name": "website", "scopes": ["accounts:write", "events:read"] });
    let made = tenantry.operator().post("/api/v1/tenants/acme/api-keys", &body).expect(201);
    tenantry.client().with_bearer(made.json()["key"].as_str().unwrap())
}

pub(crate) fn provision(client: &mut Client, count: usize) {
    for number in 0..count {
        let body = json!({ "userId": format!("website-user-{number}"), "configId": "demo-25k-eval-v1" });
        client.post("/api/v1/tenants/acme/accounts", &body).expect(201);
    }
}

/// A stream of acme's events, read line by line.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(tenantry: &Tenantry, key: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(tenantry.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET {EVENTS}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        assert!(events.line().unwrap().starts_with("HTTP/1.1 200"));
        while !events.line().unwrap().starts_with("retry:") {}
        events
    }

    /// None at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).unwrap();
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// None at the end.
    fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(data) = self.line()?.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[test]
fn what_one_process_writes_is_told_by_another() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let (writer, mut teller) = (installation.start(), installation.start_with(&["--role", "api"], &[]));
        tenant(&writer, "acme");
        let mut client = caller(&writer);
        let key = client.bearer().to_owned();
        let mut events = Events::open(&teller, &key, "");
        provision(&mut client, 3);
        let told: Vec<_> = std::iter::from_fn(|| events.next()).take(3).collect();
        let listed = client.get(&format!("{EVENTS}?eventType=account.*")).expect(200).json();
        assert_eq!(listed["items"], Value::from(told.clone()), "the same events through both doors");

        // Whoever comes back is told what it missed.
        drop(events);
        provision(&mut client, 2);
        let header = format!("Last-Event-ID: {}\r\n", told[2]["id"].as_str().unwrap());
        let mut events = Events::open(&teller, &key, &header);
        let place = |event: &Value| event["meta"]["sequence"].as_i64().unwrap();
        let missed: Vec<_> =
            std::iter::from_fn(|| events.next()).take(2).map(|event| place(&event)).collect();
        assert_eq!(missed, [place(&told[2]) + 1, place(&told[2]) + 2]);

        // A process that stops keeps nobody waiting.
        assert!(teller.terminate().success());
        assert_eq!(events.next(), None);
    });
}

/// Whether every log is whole that the arguments say, and what is said of acme's.
pub(crate) fn verify(installation: &Installation, arguments: &[&str]) -> (bool, Value) {
    verify_log(installation, &json!("acme"), arguments)
}

/// The same, with what is said of the log of this tenant, or of the platform's for null.
fn verify_log(installation: &Installation, whose: &Value, arguments: &[&str]) -> (bool, Value) {
    let Output { status, stdout, stderr } =
        installation.command().args(["audit", "verify", "--json"]).args(arguments).output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    let mut logs = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = logs.find(|log| log["tenant"] == *whose);
    (status.success(), told.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&stderr))))
}

/// Changes acme's database behind the product's back: what stands after `from` to what stands after `to`.
fn replace_in_database(installation: &Installation, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let name = installation.tenant_databases().remove(0);
    match installation.backend() {
        Backend::Postgres(server) => {
            let sql = format!("UPDATE events SET envelope = replace(envelope, '{from}', '{to}')");
            server.query(&name, &sql).unwrap();
        }
        Backend::Sqlite => {
            let path = installation.directory().join(format!("data/tenants/{name}.db"));
            let mut bytes = std::fs::read(&path).unwrap();
            let mut changed = 0;
            for at in 0..bytes.len() - from.len() {
                if bytes[at..].starts_with(from.as_bytes()) {
                    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                    changed += 1;
                }
            }
            assert!(changed > 0, "{from} is nowhere in {}", path.display());
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

#[test]
fn whoever_changes_a_log_is_found_out() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let mut tenantry = installation.start();
        tenant(&tenantry, "acme");
        let mut client = caller(&tenantry);
        provision(&mut client, 10);
        let head = client.get(&format!("{EVENTS}/head")).expect(200).json();
        assert_eq!(head["sequence"], 10);
        let kept = installation.directory().join("kept.txt");
        std::fs::write(&kept, format!("in January: {}\n", head["statement"].as_str().unwrap())).unwrap();
        assert!(tenantry.terminate().success());
        assert!(tenantry.log().contains("tenantry-head.v1."), "a stopping process signs what it wrote");
        let (kept, log) = (kept.to_str().unwrap(), tenantry.log_file().to_str().unwrap());

        let (whole, told) = verify(&installation, &["--heads", kept, "--heads", log]);
        assert!(whole, "{told}");
        assert_eq!((&told["entries"], &told["statements"]), (&json!(10), &json!(3)));

        if let Backend::Postgres(server) = backend {
            let name = installation.tenant_databases().remove(0);
            server.query(&name, "CREATE TABLE copy AS SELECT * FROM events").unwrap();
            let cut = "DELETE FROM events WHERE sequence > 7; UPDATE log_head SET sequence = 7, \
                       hash = (SELECT hash FROM events WHERE sequence = 7)";
            server.query(&name, cut).unwrap();
            let (whole, told) = verify(&installation, &["--tenant", "acme"]);
            assert!(!whole);
            assert_eq!((&told["flaw"]["sequence"], &told["flaw"]["code"]), (&json!(8), &json!("cut_off")));
            let mend = "INSERT INTO events SELECT * FROM copy WHERE sequence > 7; UPDATE log_head SET sequence = 10, \
                        hash = (SELECT hash FROM events WHERE sequence = 10)";
            server.query(&name, mend).unwrap();
            assert!(verify(&installation, &[]).0);
        }
        replace_in_database(&installation, "website-user-4", "website-user-x");
        let (whole, told) = verify(&installation, &[]);
        assert!(!whole);
        assert_eq!(
            (&told["flaw"]["sequence"], &told["flaw"]["code"]),
            (&json!(5), &json!("altered")),
            "{told}"
        );
        assert!(told["flaw"]["eventId"].as_str().unwrap().starts_with("evt_"));
    });
}

#[test]
fn what_happens_to_tenants_and_keys_is_in_the_platforms_log() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let mut tenantry = installation.start();
        tenant(&tenantry, "acme");
        let mut operator = tenantry.operator();
        let acme = "/api/v1/tenants/acme";
        operator.post(&format!("{acme}/suspend"), &json!({})).expect(200);
        operator.post(&format!("{acme}/resume"), &json!({})).expect(200);
        let wish = json!({ "name": "website", "scopes": ["events:read"] });
        let made = operator.post(&format!("{acme}/api-keys"), &wish).expect(201).json();
        let (key, text) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        operator.request("DELETE", &format!("{acme}/api-keys/{key}")).send().expect(204);
        let id = operator.get(acme).expect(200).json()["id"].as_str().unwrap().to_owned();
        operator.request("DELETE", acme).send().expect(202);

        let feed = |operator: &mut Client, query: &str| -> Vec<Value> {
            let page = operator.get(&format!("/api/v1/events?limit=200{query}")).expect(200).json();
            assert_eq!(page["hasMore"], false);
            page["items"].as_array().unwrap().clone()
        };
        let about_acme = feed(&mut operator, &format!("&tenantId={id}"));
        let types: Vec<_> = about_acme.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
        let (birth, life) =
            types.split_at(types.iter().position(|told| *told == "tenant.suspended").unwrap());
        assert_eq!((birth[0], birth.last()), ("tenant.announced", Some(&"tenant.activated")));
        let expected = [
            "tenant.suspended",
            "tenant.resumed",
            "api_key.created",
            "api_key.revoked",
            "tenant.deprovisioning.queued",
        ];
        assert_eq!(life, expected);
        let all = feed(&mut operator, "");
        let places: Vec<_> = all.iter().map(|event| event["meta"]["sequence"].as_u64().unwrap()).collect();
        assert_eq!(places, (1..=all.len() as u64).collect::<Vec<_>>());
        assert!(!Value::from(all.clone()).to_string().contains(text), "a secret is in the log");

        assert!(tenantry.terminate().success());
        assert!(tenantry.log().contains("tenantry-head.v1.platform."), "its head is signed as well");
        let log = tenantry.log_file().to_str().unwrap();
        let (whole, told) = verify_log(&installation, &Value::Null, &["--heads", log]);
        assert!(whole, "{told}");
        assert_eq!((&told["entries"], &told["tenantId"]), (&json!(all.len()), &Value::Null));
        assert!(told["statements"].as_u64() >= Some(2), "{told}");

        // What the command line does is in it, too.
        let wish = ["keys", "create", "--operator", "--quiet"];
        assert!(installation.command().args(wish).output().unwrap().status.success());
        let (whole, told) = verify_log(&installation, &Value::Null, &["--platform"]);
        assert!(whole, "{told}");
        assert_eq!(told["entries"], all.len() + 1);
    });
}
