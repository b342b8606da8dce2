//! Receivers in other languages, with their official libraries.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;
use tenantry_tests::{Backend, Client};

use super::{Endpoint, acme, installation, provision_one};

const RECEIVERS: [Language; 2] = [
    Language { name: "Python", program: "python3", other: "TENANTRY_TEST_PYTHON", file: "receiver.py" },
    Language { name: "Node.js", program: "node", other: "TENANTRY_TEST_NODE", file: "receiver.cjs" },
];

#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    program: &'static str,
    /// The variable that names another program.
    other: &'static str,
    file: &'static str,
}

struct Foreigner {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Foreigner {
    /// Starts the receiver; none where its library is not installed, which is said.
    fn start(language: Language) -> Option<Self> {
        let program = std::env::var_os(language.other).unwrap_or_else(|| language.program.into());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("receivers").join(language.file);
        let mut command = Command::new(program);
        command.arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let mut said = BufReader::new(child.stdout.take()?).lines();
        let port = said.next().and_then(Result::ok).and_then(|line| line.parse().ok());
        let Some(port) = port else {
            let _ = child.wait();
            return None;
        };
        Some(Self { child, said, port })
    }

    fn know(&mut self, secret: &str) {
        writeln!(self.child.stdin.take().unwrap(), "{secret}").unwrap();
    }

    fn next(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }
}

impl Drop for Foreigner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn official_libraries_of_other_languages_find_calls_good() {
    for language in RECEIVERS {
        let Some(mut foreigner) = Foreigner::start(language) else {
            let name = language.name;
            let required = std::env::var_os("TENANTRY_REQUIRE_LANGUAGES").is_some();
            assert!(!required, "{name}, or its library standardwebhooks, is not installed");
            eprintln!(
                "SKIPPED: {name}, or its library standardwebhooks, is not installed; see tests/README.md"
            );
            continue;
        };
        let tenantry = installation(Backend::Sqlite).start();
        let mut site = acme(&tenantry);
        let url = format!("http://127.0.0.1:{}/hooks", foreigner.port);
        let endpoint = Endpoint::new(&mut site, "acme", &url, &["account.*"]);
        foreigner.know(&endpoint.secret);
        // From here on calls carry two signatures, and the one that is known here is the second.
        let rotated = site.post(&format!("{}/rotate-secret", endpoint.path), &json!({})).expect(200).json();
        assert_ne!(rotated["secret"], endpoint.secret);
        for user in ["ann", "Jörg 🦀"] {
            provision_one(&mut site, user);
            let said = foreigner.next();
            assert!(said.starts_with("good ") && said.ends_with(" account.provisioned"), "{said}");
        }
        let forged = Client::new(([127, 0, 0, 1], foreigner.port).into())
            .request("POST", "/hooks")
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", "1700000000")
            .header("webhook-signature", "v1,AAAA")
            .json(&json!({ "type": "account.closed" }))
            .try_send();
        assert_eq!(forged.unwrap().status, 400);
        assert!(foreigner.next().starts_with("bad "));
    }
}
