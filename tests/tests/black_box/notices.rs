//! What a tenant's birth tells the outside: a mail to its contact, and signed calls of the operator's endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tenantry_testkit::smtp::{SmtpOptions, SmtpServer};
use tenantry_tests::{Backend, Call, Installation, PATIENCE, Receiver, Tenantry, for_each_backend};

use crate::steps::{confirm, settled};

const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const CONTACT: &str = "ann@acme.example";

/// An installation that tells these two, and soon tries again.
fn telling(backend: Backend, mail: SocketAddr, webhook: &str) -> Installation {
    let secrets = format!("{NEW_SECRET} {OLD_SECRET}");
    Installation::with(
        backend,
        &[
            ("TENANTRY__NOTIFICATIONS__MAIL__HOST", &mail.ip().to_string()),
            ("TENANTRY__NOTIFICATIONS__MAIL__PORT", &mail.port().to_string()),
            ("TENANTRY__NOTIFICATIONS__MAIL__TLS", "none"),
            ("TENANTRY__NOTIFICATIONS__MAIL__FROM", "Operator <noreply@operator.example>"),
            ("TENANTRY__NOTIFICATIONS__MAIL__LONGEST_WAIT", "100ms"),
            ("TENANTRY__NOTIFICATIONS__WEBHOOK__URL", webhook),
            ("TENANTRY_WEBHOOK_SECRETS", &secrets),
            ("TENANTRY__NOTIFICATIONS__WEBHOOK__TIMEOUT", "1s"),
            ("TENANTRY__NOTIFICATIONS__WEBHOOK__LONGEST_WAIT", "100ms"),
        ],
    )
}

/// Orders a tenant with a contact, and waits for what becomes of it.
fn order(tenantry: &Tenantry, slug: &str) -> Value {
    let body = json!({ "name": "Söhne & Co", "slug": slug, "plan": "Premium", "contactEmail": CONTACT });
    let announced = tenantry.client().post("/provision/tenants/init", &body).expect(200).json();
    confirm(tenantry, announced["confirmToken"].as_str().unwrap());
    settled(tenantry, announced["provisioningId"].as_str().unwrap())
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The event of a call, after the official library has found both of its signatures good.
fn checked(call: &Call) -> Value {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, call.header(name).unwrap().parse().unwrap());
    }
    for secret in [NEW_SECRET, OLD_SECRET] {
        Webhook::new(secret).unwrap().verify(&call.body, &headers).unwrap();
    }
    let event: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(event["id"], call.header("webhook-id").unwrap());
    event
}

/// The types of the events, in the order of the first calls that told them.
fn told(receiver: &Receiver) -> Vec<String> {
    let mut seen = Vec::new();
    for event in receiver.calls().iter().map(checked) {
        if !seen.iter().any(|other: &Value| other["id"] == event["id"]) {
            seen.push(event);
        }
    }
    seen.iter().map(|event| event["eventType"].as_str().unwrap().to_owned()).collect()
}

/// What has to be told of a tenant that became active by these steps, in order.
fn expected(status: &Value) -> Vec<String> {
    let steps = status["steps"].as_array().unwrap().iter().filter(|step| step["step"] != "Init");
    let before = ["tenant.announced", "tenant.provisioning.queued", "tenant.provisioning.started"];
    let mut expected = before.map(str::to_owned).to_vec();
    expected.extend(steps.map(|_| "tenant.provisioning.step_completed".to_owned()));
    expected.push("tenant.activated".to_owned());
    expected
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_tenants_birth_is_told_by_mail_and_by_signed_calls_in_order() {
    for_each_backend(|backend| {
        let (mails, receiver) = (SmtpServer::start(), Receiver::start());
        let tenantry = telling(backend, mails.address(), &receiver.url()).start();
        let status = order(&tenantry, "acme");
        assert_eq!(status["status"], "Active");
        until("everything was told", || told(&receiver).len() == expected(&status).len());
        until("the mail has arrived", || mails.mails().len() == 1);
        assert_eq!(told(&receiver), expected(&status));

        let events: Vec<_> = receiver.calls().iter().map(checked).collect();
        let mut steps = Vec::new();
        for (event, call) in events.iter().zip(receiver.calls()) {
            assert_eq!(
                (call.line.as_str(), call.header("Content-Type")),
                ("POST /hooks HTTP/1.1", Some("application/json"))
            );
            assert!(call.header("User-Agent").unwrap().starts_with("tenantry/"), "{call:?}");
            let data = &event["data"];
            assert_eq!(
                (&data["slug"], &data["name"], &data["plan"]),
                (&json!("acme"), &json!("Söhne & Co"), &json!("Premium"))
            );
            assert_eq!(event["meta"]["schemaVersion"], "1.0");
            steps.extend(data["step"].as_str().map(str::to_owned));
        }
        let done = status["steps"].as_array().unwrap().iter().skip(1);
        assert_eq!(steps, done.map(|step| step["step"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        let activated = events.last().unwrap();
        assert_eq!(activated["data"]["status"], "Active");

        let mail = &mails.mails()[0];
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("noreply@operator.example", &[CONTACT.to_owned()][..])
        );
        let id = format!("<{}@operator.example>", activated["id"].as_str().unwrap());
        assert_eq!(mail.header("Message-ID"), Some(id));
        assert!(mail.data.contains("(acme)"), "{}", mail.data);

        let log = tenantry.log();
        for secret in [NEW_SECRET, OLD_SECRET] {
            assert!(!log.contains(&secret[6..]), "a secret is in the log");
        }
    });
}

#[test]
fn a_birth_that_failed_is_told_too() {
    for_each_backend(|backend| {
        let (mails, receiver) = (SmtpServer::start(), Receiver::start());
        let installation = telling(backend, mails.address(), &receiver.url());
        let tenantry = installation.start();
        let name = format!("{}acme", installation.database_prefix());
        match backend {
            Backend::Sqlite => {
                let directory = installation.directory().join("data/tenants");
                std::fs::create_dir_all(&directory).unwrap();
                std::fs::write(directory.join(format!("{name}.db")), "somebody else's").unwrap();
            }
            Backend::Postgres(server) => {
                server.query("postgres", &format!("CREATE DATABASE {name}")).unwrap();
            }
        }
        assert_eq!(order(&tenantry, "acme")["status"], "Failed");
        until("the mail has arrived", || mails.mails().len() == 1);
        let failed = "tenant.provisioning.failed";
        until("the failure was told", || told(&receiver).last().is_some_and(|event| event == failed));
        assert!(mails.mails()[0].data.contains("could not be set up"), "{}", mails.mails()[0].data);
        let event = checked(receiver.calls().last().unwrap());
        assert_eq!(event["data"]["error"]["code"], "database_name_taken");
    });
}

#[test]
fn who_was_down_is_told_after_coming_back() {
    for_each_backend(|backend| {
        let (mail, webhook) = (free_address(), free_address());
        let tenantry = telling(backend, mail, &format!("http://{webhook}/hooks")).start();
        let status = order(&tenantry, "acme");
        assert_eq!(status["status"], "Active", "nobody waits for who is told");
        until("it was tried in vain", || {
            let log = tenantry.log();
            log.matches("Could not tell").count() >= 2
        });
        let mails = SmtpServer::on(TcpListener::bind(mail).unwrap(), SmtpOptions::default());
        let receiver = Receiver::on(TcpListener::bind(webhook).unwrap());
        until("everything was told", || told(&receiver).len() == expected(&status).len());
        until("the mail has arrived", || mails.mails().len() == 1);
        assert_eq!(sorted(told(&receiver)), sorted(expected(&status)));
    });
}

#[test]
fn what_was_under_way_when_the_process_was_killed_is_told_again_and_nothing_is_lost() {
    for_each_backend(|backend| {
        let (mails, receiver) = (SmtpServer::start(), Receiver::start());
        receiver.fall_silent();
        let mut tenantry = telling(backend, mails.address(), &receiver.url()).start();
        let status = order(&tenantry, "acme");
        until("a call is under way", || !receiver.calls().is_empty());
        tenantry.kill_hard();
        let before = receiver.calls();
        receiver.answer(204);
        tenantry.restart();
        let count = expected(&status).len();
        until("everything was told", || {
            let calls = receiver.calls();
            let answered = calls[before.len()..].iter().map(|call| checked(call)["id"].to_string());
            answered.collect::<BTreeSet<_>>().len() == count
        });
        until("the mail has arrived", || !mails.mails().is_empty());
        assert_eq!(sorted(told(&receiver)), sorted(expected(&status)));
        let mut bodies = BTreeMap::new();
        for call in receiver.calls() {
            let id = call.header("webhook-id").unwrap().to_owned();
            assert_eq!(
                bodies.entry(id).or_insert(call.body.clone()),
                &call.body,
                "a repetition says the same"
            );
        }
    });
}

/// The program in the documentation.
fn documented_receiver() -> &'static str {
    let documentation = include_str!("../../../docs/notifications.md");
    let (_, rest) = documentation.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// Kills a process that a failing test leaves behind.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_receiver_in_the_documentation_understands_what_it_is_told() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no python3 to run the documented receiver with");
        return;
    }
    let address = free_address();
    let tenantry =
        telling(Backend::Sqlite, SmtpServer::start().address(), &format!("http://{address}/")).start();
    let (file, said) =
        ["receiver.py", "said"].map(|name| tenantry.installation().directory().join(name)).into();
    std::fs::write(&file, documented_receiver()).unwrap();
    let start = |secret: &str| {
        let output = OpenOptions::new().create(true).append(true).open(&said).unwrap();
        let port = address.port().to_string();
        let mut command = Command::new("python3");
        command.arg(&file).args([secret, &port]).stdin(Stdio::null()).stdout(output);
        let program = Program(command.spawn().unwrap());
        until("it listens", || TcpStream::connect(address).is_ok());
        program
    };
    let said = || std::fs::read_to_string(tenantry.installation().directory().join("said")).unwrap();

    let stranger = start("whsec_d3JvbmcgYnV0IGxvbmcgZW5vdWdoIHNlY3JldA==");
    let status = order(&tenantry, "acme");
    until("the stranger was told", || tenantry.log().contains("status 401"));
    assert_eq!(said(), "");
    drop(stranger);
    let _receiver = start(OLD_SECRET);
    until("everything was told", || said().lines().count() == expected(&status).len());
    let types: Vec<_> = said().lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(sorted(types), sorted(expected(&status)));
    assert!(said().lines().all(|line| line.ends_with(" acme")), "{}", said());
}

#[test]
fn a_process_that_dies_after_its_answer_tells_all_the_same() {
    for_each_backend(|backend| {
        let (mails, receiver) = (SmtpServer::start(), Receiver::start());
        let installation = telling(backend, mails.address(), &receiver.url());
        // It answers and tells nobody: that is for the workers, which come later.
        let mut api = installation.start_with(&["--role", "api"], &[]);
        let body = json!({ "name": "Acme", "slug": "acme", "plan": "Basic", "contactEmail": CONTACT });
        let announced = api.client().post("/provision/tenants/init", &body).expect(200).json();
        confirm(&api, announced["confirmToken"].as_str().unwrap());
        api.kill_hard();
        assert_eq!(receiver.calls(), []);
        let tenantry = installation.start();
        let status = settled(&tenantry, announced["provisioningId"].as_str().unwrap());
        until("everything was told", || told(&receiver).len() == expected(&status).len());
        until("the mail has arrived", || mails.mails().len() == 1);
        assert_eq!(told(&receiver), expected(&status));
    });
}
