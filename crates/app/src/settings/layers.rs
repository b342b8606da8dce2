//! Defaults, file, environment and flags, laid one over the other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::Problem;
use super::known::{DEFAULTS, SECRETS, cluster_of, flatten, is_database_url, nearest};
use super::value::Value;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The compiled-in `config/default.toml`.
    Default,
    /// A settings file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Every setting with its value in force and where that comes from.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    settings: BTreeMap<String, (Value, Origin)>,
}

impl Layers {
    /// The defaults alone.
    pub(crate) fn defaults() -> Result<Self, Problem> {
        let (settings, _) = flatten(DEFAULTS, &Origin::Default)?;
        Ok(Self {
            settings: settings.into_iter().map(|(name, value)| (name, (value, Origin::Default))).collect(),
        })
    }

    /// Lays a settings file's text over what is there.
    pub(crate) fn lay_file(&mut self, path: PathBuf, text: &str) -> Vec<Problem> {
        let origin = Origin::File(path);
        let (settings, mut problems) = match flatten(text, &origin) {
            Ok(flat) => flat,
            Err(problem) => return vec![problem],
        };
        for (name, value) in settings {
            problems.extend(self.set(&name, value, origin.clone()).err());
        }
        problems
    }

    /// Sets one value, if there is such a setting and it is of this kind.
    pub(crate) fn set(&mut self, name: &str, value: Value, origin: Origin) -> Result<(), Problem> {
        let Some(current) = self.current(name) else {
            return Err(self.unknown(name, &origin));
        };
        if !current.is_like(&value) {
            let what = format!("expected {}, found {}", current.kind(), masked(name, &value));
            return Err(Problem::new(format!("{name} ({origin})"), what));
        }
        self.settings.insert(name.to_owned(), (value, origin));
        Ok(())
    }

    /// Sets one value from text, which is read as the setting's kind.
    pub(crate) fn set_text(&mut self, name: &str, text: &str, origin: Origin) -> Result<(), Problem> {
        let Some(current) = self.current(name) else {
            return Err(self.unknown(name, &origin));
        };
        let Some(value) = current.parse_like(text) else {
            let what = format!("expected {}, found '{text}'", current.kind());
            return Err(Problem::new(format!("{name} ({origin})"), what));
        };
        self.set(name, value, origin)
    }

    /// The value so far; another server's URL is none until it is set.
    fn current(&self, name: &str) -> Option<Value> {
        let none = || cluster_of(name).map(|_| Value::Text(String::new()));
        self.settings.get(name).map(|(value, _)| value.clone()).or_else(none)
    }

    fn unknown(&self, name: &str, origin: &Origin) -> Problem {
        let guess = match nearest(name, self.settings.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "`tenantry config show` lists those there are".to_owned(),
        };
        Problem::new(format!("{name} ({origin})"), format!("there is no such setting; {guess}"))
    }

    /// The value in force and its origin.
    pub(crate) fn get(&self, name: &str) -> Option<&(Value, Origin)> {
        self.settings.get(name)
    }

    /// Every setting, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value, &Origin)> {
        self.settings.iter().map(|(name, (value, origin))| (name.as_str(), value, origin))
    }
}

/// The value as it may be shown: secrets masked.
pub(crate) fn masked(name: &str, value: &Value) -> Value {
    match value {
        Value::Text(text) if is_database_url(name) => Value::Text(mask_url(text)),
        Value::Text(text) if SECRETS.contains(&name) && !text.is_empty() => Value::Text(MASK.to_owned()),
        value => value.clone(),
    }
}

const MASK: &str = "••••••";

/// Hides what is secret in a database URL.
pub(crate) fn mask_url(url: &str) -> String {
    if url.is_empty() || url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return MASK.to_owned();
    };
    // What follows '?' may name a password as well.
    let (rest, parameters) = match rest.split_once('?') {
        Some((rest, _)) => (rest, format!("?{MASK}")),
        None => (rest, String::new()),
    };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(user, _)| format!("{user}:{MASK}"));
            format!("{scheme}://{user}@{host}{parameters}")
        }
        None => format!("{scheme}://{rest}{parameters}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_urls_only_what_may_be_secret_is_masked() {
        for (url, shown) in [
            ("", ""),
            ("sqlite:data/control.db", "sqlite:data/control.db"),
            ("not a url", "••••••"),
            ("postgres://u:p%40ss@db.example:5432/x", "postgres://u:••••••@db.example:5432/x"),
            ("postgres://u:a@b@db/x", "postgres://u:••••••@db/x"),
            ("postgres://u@db/x", "postgres://u@db/x"),
            ("postgres://db/x?user=u&password=p", "postgres://db/x?••••••"),
        ] {
            assert_eq!(mask_url(url), shown);
        }
    }

    #[test]
    fn keys_are_masked_whatever_they_look_like_and_absent_ones_look_absent() {
        for name in SECRETS.into_iter().filter(|name| *name != "database.url") {
            assert_eq!(masked(name, &Value::Text("sqlite:x://y".to_owned())).to_string(), "\"••••••\"");
            assert_eq!(masked(name, &Value::Text(String::new())).to_string(), "\"\"");
        }
    }

    #[test]
    fn a_wrong_kind_is_refused_and_leaves_the_value() {
        let mut layers = Layers::defaults().unwrap();
        let origin = Origin::Flag("--test");
        let problem = layers.set("server.workers", Value::Text("5".to_owned()), origin).unwrap_err();
        assert_eq!(problem.to_string(), "server.workers (--test): expected a whole number, found \"5\"");
        assert_eq!(layers.get("server.workers").unwrap(), &(Value::Integer(0), Origin::Default));
    }
}
