//! Runs the real binary.
#![allow(dead_code, reason = "every test file uses its part")]

pub(crate) mod doctor;
pub(crate) mod server;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary in an empty directory's world: no settings of the machine, no variables of whoever runs the tests.
pub(crate) fn tenantry(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TENANTRY") {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// What a finished command printed and said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    tenantry(directory).args(arguments).envs(environment.iter().copied()).output().unwrap().into()
}

/// Runs a command to its end, with something to read.
pub(crate) fn run_with_input(directory: &Path, arguments: &[&str], input: &str) -> Said {
    let mut command = tenantry(directory);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// An empty directory.
pub(crate) fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
