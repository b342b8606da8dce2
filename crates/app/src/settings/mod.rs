//! Settings: `config/default.toml`, then a file, then the environment, then flags.
//!
//! [`Layers`] merges and remembers where each value comes from; [`Settings`] is what they mean. Everything that is wrong
//! is found at once, and each problem names the setting and where it was set.

mod environment;
mod known;
mod layers;
mod read;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use environment::{Environment, of_process};
pub(crate) use layers::{Layers, Origin, masked};
pub(crate) use read::{
    Access, Log, LogFormat, MailSettings, Server, Settings, WebhookSettings, Webhooks, insecure,
};
pub(crate) use value::duration;

use crate::failure::Failure;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    subject: String,
    what: String,
}

impl Problem {
    /// `subject` is a setting and its origin, or a file.
    pub(crate) fn new(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self { subject: subject.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)
    }
}

/// Values that flags gave: setting, text, flag.
pub(crate) type Flags = Vec<(&'static str, String, &'static str)>;

/// Reads every layer. `file` is the one named by `--config`; without it, the environment may name one.
pub(crate) fn layers(
    file: Option<&Path>,
    environment: &Environment,
    flags: &Flags,
) -> Result<Layers, Failure> {
    let mut problems = Vec::new();
    let mut layers = Layers::defaults().map_err(|problem| failure(&[problem]))?;
    let named = environment.iter().find(|(name, path)| name == environment::CONFIG && !path.is_empty());
    if let Some(path) = file.map(PathBuf::from).or_else(|| named.map(|(_, path)| PathBuf::from(path))) {
        match std::fs::read_to_string(&path) {
            Ok(text) => problems.extend(layers.lay_file(path, &text)),
            Err(error) => {
                problems.push(Problem::new(path.display().to_string(), format!("cannot read it: {error}")));
            }
        }
    }
    problems.extend(environment::lay(&mut layers, environment));
    for (name, text, flag) in flags {
        problems.extend(layers.set_text(name, text, Origin::Flag(flag)).err());
    }
    if problems.is_empty() { Ok(layers) } else { Err(failure(&problems)) }
}

/// The problems as a reason not to go on.
pub(crate) fn failure(problems: &[Problem]) -> Failure {
    let what = problems.iter().map(ToString::to_string).collect();
    Failure::several(what, "change it there; `tenantry config show` prints what is in force, and from where")
}

#[cfg(test)]
mod tests;
