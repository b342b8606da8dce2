//! Log lines, on standard error.

mod lines;

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

pub(crate) use self::lines::Lines;

use crate::failure::Failure;
use crate::settings::{Log, LogFormat};

/// Tells operators of every start and stop of its threads.
const CHATTY: &str = "actix_server=warn";

/// Starts logging for a server, for as long as what is returned is kept.
pub(crate) fn start(log: &Log) -> Result<Lines, Failure> {
    let lines = Lines::to(stderr()).map_err(|error| {
        Failure::new(format!("logging cannot be started: {error}"), "allow this user more threads")
    })?;
    install(&log.filter, log.format, lines.entrance())?;
    Ok(lines)
}

/// Starts logging for a command whose result is what it prints: it logs warnings only, unless a filter was asked for.
pub(crate) fn start_quiet(log: &Log) -> Result<(), Failure> {
    install(if log.filter_was_chosen { &log.filter } else { "warn" }, log.format, stderr)
}

fn install(
    filter: &str,
    format: LogFormat,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> Result<(), Failure> {
    // What a filter says about it itself comes later and wins.
    let filter = EnvFilter::try_new(format!("{CHATTY},{filter}"))
        .map_err(|error| Failure::new(error, "choose another filter, such as TENANTRY_LOG=info"))?;
    let terminal = stderr().is_terminal();
    let pretty = match format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
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
