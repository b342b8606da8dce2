//! Runs the real binary as a server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything takes on a busy machine; only a broken server waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) banner: String,
    pub(crate) address: String,
    log: Option<JoinHandle<String>>,
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    /// `Null` if it is no JSON.
    pub(crate) body: Value,
}

impl Server {
    /// Starts `command` and waits until it says that it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let mut banner = String::new();
        while !banner.contains("Ctrl-C stops the server.") {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => banner.push_str(&(line + "\n")),
                Err(_) => {
                    child.kill().unwrap();
                    panic!("it never became ready: {banner}\n{}", log.join().unwrap());
                }
            }
        }
        let url = banner.split_whitespace().find_map(|word| word.strip_prefix("http://"));
        let address = url.unwrap_or_default().to_owned();
        Self { child, banner, address, log: Some(log) }
    }

    /// Sends a signal, as in `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for it to end, and answers with its status and its log.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = until("it ends", || self.child.try_wait().unwrap());
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Stops it politely, and answers with its log.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.ended();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// One request: status and body.
    pub(crate) fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let answer = match key {
            "" => self.exchange(method, path, &[], body),
            key => self.exchange(method, path, &[("Authorization", &format!("Bearer {key}"))], body),
        };
        (answer.status, answer.body)
    }

    /// One request with these headers.
    pub(crate) fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.exchange_text(method, path, headers, "application/json", &body)
    }

    /// One form: status and body.
    pub(crate) fn send_form(&self, path: &str, form: &str) -> (u16, Value) {
        let answer = self.exchange_text("POST", path, &[], "application/x-www-form-urlencoded", form);
        (answer.status, answer.body)
    }

    fn exchange_text(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        content_type: &str,
        body: &str,
    ) -> Answer {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split_whitespace().nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    /// Resident memory in bytes, without the program itself: unoptimised, its code alone is several times as large.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            if line.is_err() || send.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receive
}

/// Looks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = look() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A command for a server in this directory on a free port.
pub(crate) fn serve(directory: &Path) -> Command {
    let mut command = super::tenantry(directory);
    command.env("TENANTRY_BIND", "127.0.0.1:0");
    command
}
