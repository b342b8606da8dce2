//! What is wrong with a document, said so that a person can mend it and a program can react to it.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// A JSON Pointer (RFC 6901) into the document a finding is about; empty for the document itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// The document itself.
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// The member `name` of what this points to; `~` and `/` are escaped.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        Self(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// The element at `index` of the array this points to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// What `inner` points to in what this points to.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self(format!("{}{}", self.0, inner.0))
    }

    /// The pointer as text, as in `/admin/email`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that is wrong (or, as a warning, doubtful) in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where it is.
    pub pointer: Pointer,
    /// A stable, snake_case name of the kind of finding, for programs.
    pub code: Cow<'static, str>,
    /// One sentence for people that says what to change.
    pub message: String,
}

impl Finding {
    /// A finding at `pointer`.
    pub fn new(pointer: Pointer, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer, code: Cow::Borrowed(code), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.0.is_empty() { "(document)" } else { &self.pointer.0 };
        write!(f, "{at}: {} [{}]", self.message, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_escaped_and_indexes_appended() {
        let pointer = Pointer::root().member("a/b~c").index(3).member("d");
        assert_eq!(pointer.as_str(), "/a~1b~0c/3/d");
        assert_eq!(Pointer::root().member("x").join(&pointer).as_str(), "/x/a~1b~0c/3/d");
    }
}
