//! Log lines, on standard error.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::settings::{Log, LogFormat};

/// Tells operators of every start and stop of its threads.
const CHATTY: &str = "actix_server=warn";

/// Starts logging for the rest of the process. `quiet` is for commands whose result is what they print: they log
/// warnings only, unless a filter was asked for.
pub(crate) fn start(log: &Log, quiet: bool) -> Result<(), Failure> {
    let filter = if quiet && !log.filter_was_chosen { "warn" } else { &log.filter };
    // What a filter says about it itself comes later and wins.
    let filter = EnvFilter::try_new(format!("{CHATTY},{filter}"))
        .map_err(|error| Failure::new(error, "choose another filter, such as TENANTRY_LOG=info"))?;
    let terminal = stderr().is_terminal();
    let pretty = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = if pretty {
        lines.with_ansi(terminal && wants_colour()).with_target(false).try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).try_init()
    };
    started.map_err(|error| {
        Failure::new(format!("logging cannot be started: {error}"), "this is a bug; report it")
    })
}

/// <https://no-color.org>
fn wants_colour() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
