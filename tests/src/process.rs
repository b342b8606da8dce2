use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::installation::free_port;
use crate::{Backend, Client, Installation};

/// The operator's key of every installation under test.
pub const OPERATOR_KEY: &str = "black-box-tests-operator-key-000001";

/// How long something may take that is going to happen, on a busy machine; only what is broken takes this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look whether it has happened.
const PULSE: Duration = Duration::from_millis(20);

/// A process of `tenantry serve`, killed when dropped.
#[derive(Debug)]
pub struct Tenantry {
    installation: Installation,
    arguments: Vec<String>,
    settings: Vec<(String, String)>,
    port: u16,
    log: PathBuf,
    child: Option<Child>,
}

impl Tenantry {
    /// Starts the binary on a new installation, and waits until it is ready.
    ///
    /// # Panics
    /// With its log, if it does not get ready.
    pub fn start(backend: Backend) -> Self {
        Installation::new(backend).start()
    }

    pub(crate) fn start_on(
        installation: Installation,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let mut process = Self::new(installation, arguments, settings);
        // A port that was free a moment ago may have been taken by another test.
        for _ in 0..5 {
            process.port = free_port();
            process.spawn();
            if process.wait_until_ready() || !process.log().to_lowercase().contains("address already in use")
            {
                break;
            }
        }
        process.insist_on_readiness();
        process
    }

    pub(crate) fn launch_on(
        installation: Installation,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let mut process = Self::new(installation, arguments, settings);
        process.spawn();
        process
    }

    fn new(installation: Installation, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            log: installation.next_log(),
            installation,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            settings: settings.collect(),
            port: 0,
            child: None,
        }
    }

    fn spawn(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).expect("a log file is opened");
        let mut command = self.installation.command();
        command
            .arg("serve")
            .args(&self.arguments)
            .env("TENANTRY_BIND", self.address().to_string())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdout(copy(&log))
            .stderr(log);
        self.child = Some(command.spawn().expect("the binary under test starts"));
    }

    /// Whether it got ready; not, if it ended or took too long.
    fn wait_until_ready(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.has_ended() {
                self.child = None;
                return false;
            }
            let answer = self.client().request("GET", "/health/ready").try_send();
            if answer.is_ok_and(|answer| answer.status == 200) {
                return true;
            }
            std::thread::sleep(PULSE);
        }
        false
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().expect("a child can be asked").is_some())
    }

    #[track_caller]
    fn insist_on_readiness(&mut self) {
        if !self.wait_until_ready() {
            panic!("the binary under test did not get ready; it said:\n{}", self.log());
        }
    }

    /// The installation it works on.
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A caller without any key, with a connection of its own.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// The platform's operator as a caller.
    pub fn operator(&self) -> Client {
        self.client().with_bearer(OPERATOR_KEY)
    }

    /// The id of the running process.
    ///
    /// # Panics
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Waits until it has written this.
    ///
    /// # Panics
    /// With its log, if it ends before, or takes too long.
    pub fn wait_for_log(&mut self, text: &str) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let ended = self.has_ended();
            if self.log().contains(text) {
                return;
            }
            if ended {
                break;
            }
            std::thread::sleep(PULSE);
        }
        panic!("it did not say {text:?}; it said:\n{}", self.log());
    }

    /// Everything it has written so far, over all its lives.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The file it writes to.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Sends it a signal by name (`STOP`, `CONT`, `HUP` …).
    ///
    /// # Panics
    /// If it does not run.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("/bin/sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{name} is sent");
    }

    /// Kills it as a power failure would (`SIGKILL`), if it runs.
    ///
    /// # Panics
    /// If that is refused.
    pub fn kill_hard(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child ends");
        }
    }

    /// Asks it to end (`SIGTERM`) and waits until it has.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_for_exit()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// With its log, if it does not.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let child = self.child.as_mut().expect("it runs");
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                self.child = None;
                return status;
            }
            std::thread::sleep(PULSE);
        }
        panic!("it did not end; it said:\n{}", self.log());
    }

    /// Kills it, if it runs, and starts it again with the same data on the same port; waits until it is ready.
    ///
    /// # Panics
    /// With its log, if it does not get ready.
    pub fn restart(&mut self) {
        self.kill_hard();
        self.spawn();
        self.insist_on_readiness();
    }
}

impl Drop for Tenantry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("the end of what {} said:", self.address());
            lines.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn copy(file: &File) -> File {
    file.try_clone().expect("a file can be shared")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Installation, for_each_backend};

    #[test]
    fn a_process_is_started_killed_started_again_and_ended() {
        for_each_backend(|backend| {
            let installation = Installation::new(backend);
            let mut tenantry = installation.start();
            let (first, address) = (tenantry.pid(), tenantry.address());
            let order = json!({ "name": "Acme Corp", "slug": "acme", "plan": "Basic" });
            let ordered = tenantry.client().post("/provision/tenants/init", &order).expect(200).json();
            let status =
                format!("/provision/tenants/{}/status", ordered["provisioningId"].as_str().expect("an id"));
            tenantry.kill_hard();
            assert!(tenantry.client().request("GET", "/health/live").try_send().is_err());
            tenantry.restart();
            assert_eq!(tenantry.address(), address);
            assert_ne!(tenantry.pid(), first);
            tenantry.client().get(&status).expect(200);
            assert!(tenantry.terminate().success());
            assert!(!tenantry.log().contains(super::OPERATOR_KEY));
            assert!(installation.tenant_databases().is_empty());
        });
    }

    #[test]
    #[should_panic(expected = "did not get ready")]
    fn a_process_that_does_not_get_ready_is_a_failure_with_its_log() {
        let settings = [("TENANTRY__SERVER__NO_SUCH_SETTING", "1")];
        Installation::with(crate::Backend::Sqlite, &settings).start();
    }
}
