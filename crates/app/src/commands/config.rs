//! `config show` and `config check`.

use serde_json::{Map, json};

use super::{print, print_json};
use crate::endpoints::lowered_guard;
use crate::failure::Failure;
use crate::settings::{Layers, Origin, Settings, failure, insecure, masked};

/// Prints every setting, as TOML that can be used again (but for the secrets), or as JSON.
pub(crate) fn show(layers: &Layers, json: bool) -> Result<(), Failure> {
    if json {
        let entry = |name, value, origin: &Origin| json!({ "value": masked(name, value), "origin": origin.to_string() });
        let settings: Map<_, _> = layers
            .iter()
            .map(|(name, value, origin)| (name.to_owned(), entry(name, value, origin)))
            .collect();
        return print_json(&settings.into());
    }
    let lines: Vec<_> = layers
        .iter()
        .map(|(name, value, origin)| (format!("{name} = {}", masked(name, value)), origin.to_string()))
        .collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    print(&lines.iter().map(|(line, origin)| format!("{line:width$}  # {origin}\n")).collect::<String>())
}

/// Says whether a server would start with these settings.
pub(crate) fn check(layers: &Layers) -> Result<(), Failure> {
    let settings = Settings::read(layers).map_err(|problems| failure(&problems))?;
    if let Some((setting, what)) = lowered_guard(&settings) {
        eprintln!("warning: {what}: {setting} is set");
    }
    match insecure(&settings) {
        Some(problem) => Err(failure(&[problem])),
        None => print("The settings are fine.\n"),
    }
}
