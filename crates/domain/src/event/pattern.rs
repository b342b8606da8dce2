use std::fmt;
use std::str::FromStr;

use super::EventType;
use crate::text::{InvalidText, check_length};

/// Which types of events somebody is interested in: one (`account.provisioned`), those that begin alike (`account.*`), or
/// every one (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypePattern(String);

impl TypePattern {
    /// Checks length and form: what a type may be made of, with one `*` at the end at most.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The event type", &text, 1, 100)?;
        let words = text.strip_suffix('*').unwrap_or(&text);
        if !words.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.')) {
            return Err(InvalidText::new(
                "invalid_event_type",
                "An event type is made of words of a-z, 0-9 and '_', joined by dots; a '*' at its end stands for any rest",
            ));
        }
        Ok(Self(text))
    }

    /// What the types begin with, if that is all that is asked of them.
    pub fn prefix(&self) -> Option<&str> {
        self.0.strip_suffix('*')
    }

    /// Whether this type is one of them.
    pub fn matches(&self, event_type: &EventType) -> bool {
        match self.prefix() {
            Some(prefix) => event_type.as_str().starts_with(prefix),
            None => event_type.as_str() == self.0,
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TypePattern {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        for (pattern, matched, other) in [
            ("account.provisioned", "account.provisioned", "account.provisioned_twice"),
            ("account.*", "account.state_changed", "accounts.closed"),
            ("rule.violation.*", "rule.violation.max_drawdown", "rule.other"),
            ("account.pro*", "account.provisioned", "account.closed"),
        ] {
            let pattern = TypePattern::new(pattern).unwrap();
            assert!(pattern.matches(&EventType::new(matched).unwrap()), "{pattern} {matched}");
            assert!(!pattern.matches(&EventType::new(other).unwrap()), "{pattern} {other}");
        }
        let any = TypePattern::new("*").unwrap();
        assert!(EventType::FIXED.iter().all(|event_type| any.matches(event_type)));
    }

    #[test]
    fn other_texts_are_no_patterns() {
        let long = "a".repeat(101);
        for text in ["", "Account.*", "*.provisioned", "account.**", "account %", "konto.ä", &long] {
            assert!(TypePattern::new(text).is_err(), "{text}");
        }
    }
}
