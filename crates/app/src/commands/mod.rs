//! One module per command: what it does and how its result is printed.

pub(crate) mod account_config;
pub(crate) mod config;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod serve;

use std::io::{ErrorKind, Write as _};

use crate::failure::Failure;

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            format!("the result cannot be written: {error}"),
            "look at where the output goes",
        )),
        _ => Ok(()),
    }
}

/// Writes a result as JSON for programs.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}
