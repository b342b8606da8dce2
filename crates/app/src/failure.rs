//! Why a command did not do what it was asked, told to the person who asked.

use std::fmt;

/// What is wrong, in one line each, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    what: Vec<String>,
    next: Option<String>,
}

impl Failure {
    /// One thing is wrong, and this is what to do about it.
    pub(crate) fn new(what: impl fmt::Display, next: impl Into<String>) -> Self {
        Self { what: vec![line(&what)], next: Some(next.into()) }
    }

    /// Several things are wrong.
    pub(crate) fn several(what: Vec<String>, next: impl Into<String>) -> Self {
        Self { what: what.iter().map(line).collect(), next: Some(next.into()) }
    }

    /// What is wrong, and what to do next, for those who tell it in their own way.
    pub(crate) fn parts(&self) -> (&[String], Option<&str>) {
        (&self.what, self.next.as_deref())
    }

    /// The command has said already what is wrong.
    pub(crate) const fn told() -> Self {
        Self { what: Vec::new(), next: None }
    }
}

/// Messages of other crates may have several lines.
fn line(text: &(impl fmt::Display + ?Sized)) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in &self.what {
            writeln!(f, "error: {what}")?;
        }
        match &self.next {
            Some(next) => writeln!(f, "  fix: {next}"),
            None => Ok(()),
        }
    }
}
