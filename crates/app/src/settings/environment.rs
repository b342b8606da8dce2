//! Settings from environment variables.

use std::path::Path;

use super::Problem;
use super::known::{SECRETS, SHORT_FORMS, cluster_of, nearest};
use super::layers::{Layers, Origin};

const PREFIX: &str = "TENANTRY_";
const LONG_PREFIX: &str = "TENANTRY__";

/// The variable that names the settings file; no setting itself.
pub(super) const CONFIG: &str = "TENANTRY_CONFIG";

/// Variables of the product's own test suite, which the binary may inherit.
const TESTS: [&str; 2] = ["TENANTRY_TEST_", "TENANTRY_REQUIRE_"];

/// The environment, as (name, value) pairs.
pub(crate) type Environment = Vec<(String, String)>;

/// The process's own environment; a variable that is not Unicode is none of ours.
pub(crate) fn of_process() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// What a variable says.
enum Meaning {
    /// Nothing to us.
    Foreign,
    /// The setting of this name has the variable's value.
    Setting(String),
    /// The setting of this name has the value that is in the file the variable names.
    InFile(String),
    /// Nothing; perhaps this one was meant.
    Unknown(Option<String>),
}

/// Lays what the environment says over what is there. An empty variable says nothing.
pub(crate) fn lay(layers: &mut Layers, environment: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (variable, value) in environment.iter().filter(|(_, value)| !value.is_empty()) {
        let origin = Origin::Environment(variable.clone());
        let outcome = match meaning(variable, value) {
            Meaning::Foreign => Ok(()),
            Meaning::Setting(name) => {
                once(layers, &name, variable).and_then(|()| layers.set_text(&name, value, origin))
            }
            Meaning::InFile(name) => once(layers, &name, variable)
                .and_then(|()| secret_from(Path::new(value), variable))
                .and_then(|secret| layers.set_text(&name, &secret, origin)),
            Meaning::Unknown(guess) => {
                let guess = guess.map_or("`tenantry config show` lists the settings".to_owned(), |near| {
                    format!("did you mean {near}?")
                });
                Err(Problem::new(variable, format!("this variable means no setting; {guess}")))
            }
        };
        problems.extend(outcome.err());
    }
    problems
}

fn meaning(variable: &str, value: &str) -> Meaning {
    let short =
        |variable: &str| SHORT_FORMS.iter().find(|(short, _)| *short == variable).map(|(_, name)| *name);
    let is_secret = |name: &&str| SECRETS.contains(name);
    if let Some(name) = short(variable) {
        return Meaning::Setting(name.to_owned());
    }
    if let Some(stem) = variable.strip_suffix("_FILE") {
        let name = short(stem).or_else(|| SECRETS.into_iter().find(|secret| long_form(secret) == stem));
        let servers = || in_long_form(stem).filter(|name| cluster_of(name).is_some());
        if let Some(name) = name.filter(is_secret).map(str::to_owned).or_else(servers) {
            return Meaning::InFile(name);
        }
    }
    if let Some(name) = in_long_form(variable) {
        return Meaning::Setting(name);
    }
    let ours = variable.starts_with(PREFIX);
    let ignored = variable == CONFIG
        || TESTS.iter().any(|prefix| variable.starts_with(prefix))
        || is_service_link(variable, value);
    if !ours || ignored {
        return Meaning::Foreign;
    }
    let files = SECRETS.iter().filter_map(|secret| SHORT_FORMS.iter().find(|(_, name)| name == secret));
    let files: Vec<String> = files.map(|(short, _)| format!("{short}_FILE")).collect();
    let known =
        SHORT_FORMS.iter().map(|(short, _)| *short).chain([CONFIG]).chain(files.iter().map(String::as_str));
    // All begin alike, which must not count.
    let stems = known.map(|known| &known[PREFIX.len()..]);
    Meaning::Unknown(nearest(&variable[PREFIX.len()..], stems).map(|stem| format!("{PREFIX}{stem}")))
}

/// The setting that a variable of the long form names. A server's name has no `_`, and a variable's has no `-`.
fn in_long_form(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(LONG_PREFIX)?.replace("__", ".").to_lowercase();
    let server = cluster_of(&name).map(|server| name.replace(server, &server.replace('_', "-")));
    Some(server.unwrap_or(name))
}

/// The long form of a setting's name: `TENANTRY__SECTION__KEY`.
pub(super) fn long_form(name: &str) -> String {
    format!("{LONG_PREFIX}{}", name.replace('.', "__").to_uppercase())
}

/// Kubernetes tells every container about a service named `tenantry` in variables that begin like ours.
fn is_service_link(variable: &str, value: &str) -> bool {
    let address = value.starts_with("tcp://") || value.starts_with("udp://");
    variable.contains("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || (variable.ends_with("_PORT") && address)
        || variable
            .split_once("_PORT_")
            .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Refuses a second variable for one setting: which of the two wins is not for guessing.
fn once(layers: &Layers, name: &str, variable: &str) -> Result<(), Problem> {
    match layers.get(name) {
        Some((_, Origin::Environment(other))) => {
            Err(Problem::new(name, format!("both {other} and {variable} set it; keep one of them")))
        }
        _ => Ok(()),
    }
}

fn secret_from(path: &Path, variable: &str) -> Result<String, Problem> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(variable, format!("cannot read {}: {error}", path.display())))?;
    match text.trim() {
        "" => Err(Problem::new(variable, format!("{} is empty", path.display()))),
        secret => Ok(secret.to_owned()),
    }
}
