//! The receivers that the documentation shows, as it shows them.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::json;
use tenantry_tests::{Backend, Client, PATIENCE};

use super::{Endpoint, acme, installation, provision_one, until};

const LANGUAGES: [Language; 2] = [
    Language {
        name: "python",
        needs: "Python 3.9",
        program: "python3",
        other: "TENANTRY_TEST_PYTHON",
        ending: "py",
        probe: "''.removeprefix('')",
    },
    Language {
        name: "typescript",
        needs: "Node.js 22.18",
        program: "node",
        other: "TENANTRY_TEST_NODE",
        ending: "ts",
        probe: "const typed: number = 1;",
    },
];

struct Language {
    /// As the document marks its code.
    name: &'static str,
    /// At least, to run it.
    needs: &'static str,
    program: &'static str,
    /// The variable that names another program.
    other: &'static str,
    ending: &'static str,
    /// What runs where the receiver runs.
    probe: &'static str,
}

impl Language {
    /// What the documentation shows in this language.
    fn shown(&self) -> &'static str {
        let document = include_str!("../../../../docs/webhooks.md");
        let (_, rest) = document.split_once(&format!("```{}\n", self.name)).expect("a receiver");
        rest.split_once("```").expect("its end").0
    }

    fn run(&self, directory: &Path, code: &str, secret: &str) -> Option<Child> {
        let program = std::env::var_os(self.other).unwrap_or_else(|| self.program.into());
        let file = directory.join(format!("receiver.{}", self.ending));
        std::fs::write(&file, code).unwrap();
        let mut command = Command::new(program);
        command.arg(file).env("WEBHOOK_SECRET", secret);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
    }

    fn is_spoken(&self, directory: &Path) -> bool {
        self.run(directory, self.probe, "").is_some_and(|mut child| child.wait().unwrap().success())
    }
}

/// A receiver of the documentation, killed when dropped.
struct Receiver(Child);

impl Receiver {
    /// Starts it at a port of the test's, and waits until it listens.
    fn start(language: &Language, directory: &Path, port: u16, secret: &str) -> Self {
        let code = language.shown().replace("8080", &port.to_string());
        let mut receiver = Self(language.run(directory, &code, secret).unwrap());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = receiver.0.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{} does not listen", language.name);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        receiver
    }

    /// All that it said.
    fn end(mut self) -> String {
        self.0.kill().unwrap();
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn receivers_of_the_documentation_take_each_event_once_and_nothing_forged() {
    for language in &LANGUAGES {
        let installation = installation(Backend::Sqlite);
        if !language.is_spoken(installation.directory()) {
            let needs = language.needs;
            let required = std::env::var_os("TENANTRY_REQUIRE_LANGUAGES").is_some();
            assert!(!required, "{needs} is not installed");
            eprintln!("SKIPPED: {needs} is not installed; see tests/README.md");
            continue;
        }
        let tenantry = installation.start();
        let mut site = acme(&tenantry);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/hooks");
        let endpoint = Endpoint::new(&mut site, "acme", &url, &["account.*"]);
        let receiver = Receiver::start(language, installation.directory(), port, &endpoint.secret);
        let rotated = site.post(&format!("{}/rotate-secret", endpoint.path), &json!({})).expect(200).json();
        assert_ne!(rotated["secret"], endpoint.secret, "from here on calls carry two signatures");
        let key = site.bearer().to_owned();
        let delivered = |count: usize| {
            let mut site = tenantry.client().with_bearer(&key);
            let page = site.get(&format!("{}/deliveries?status=delivered", endpoint.path)).expect(200).json();
            (page["items"].as_array().unwrap().len() == count).then(|| page["items"][0].clone())
        };
        provision_one(&mut site, "ann");
        until("the first has arrived", || delivered(1).is_some());
        let first = delivered(1).unwrap();
        let again = format!("{}/deliveries/{}/redeliver", endpoint.path, first["id"].as_str().unwrap());
        assert_eq!(site.post(&again, &json!({})).expect(202).json()["status"], "pending");
        provision_one(&mut site, "Jörg 🦀");
        until("all of it has arrived", || delivered(2).is_some());

        let forged = Client::new(([127, 0, 0, 1], port).into())
            .request("POST", "/hooks")
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", "1700000000")
            .header("webhook-signature", "v1,AAAA")
            .json(&json!({ "type": "account.closed", "meta": { "sequence": 1 } }))
            .try_send();
        assert_eq!(forged.unwrap().status, 401);
        let said = receiver.end();
        let lines: Vec<_> = said.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["account.provisioned"; 2], "{said}");
    }
}
