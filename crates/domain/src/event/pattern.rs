use std::fmt;
use std::str::FromStr;

use super::EventType;
use crate::text::{InvalidText, check_length};

/// Which types of events are meant: one (`account.closed`), those that begin alike (`rule.violation.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTypePattern {
    /// This one.
    Exactly(EventType),
    /// Those that begin with this text; all, if it is empty.
    Beginning(String),
}

impl EventTypePattern {
    /// Checks length and form.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let Some(beginning) = text.strip_suffix('*') else {
            return EventType::new(text).map(Self::Exactly);
        };
        check_length("The event type", text, 1, 100)?;
        let may_begin = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
        if !beginning.bytes().all(may_begin) {
            return Err(InvalidText::new(
                "invalid_event_type",
                "An event type is made of words of a-z, 0-9 and '_', joined by dots; a '*' may stand at its end",
            ));
        }
        Ok(Self::Beginning(beginning.to_owned()))
    }

    /// Whether events of this type are meant.
    pub fn matches(&self, event_type: &EventType) -> bool {
        match self {
            Self::Exactly(meant) => meant == event_type,
            Self::Beginning(beginning) => event_type.as_str().starts_with(beginning),
        }
    }
}

impl FromStr for EventTypePattern {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::new(text)
    }
}

impl fmt::Display for EventTypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(event_type) => event_type.fmt(f),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_a_type_or_all_that_begin_alike() {
        let types = ["account.closed", "account.updated", "rule.violation.daily_loss"];
        for (pattern, meant) in [
            ("account.closed", vec!["account.closed"]),
            ("account.*", vec!["account.closed", "account.updated"]),
            ("rule.violation.d*", vec!["rule.violation.daily_loss"]),
            ("*", types.to_vec()),
            ("account", vec![]),
        ] {
            let parsed: EventTypePattern = pattern.parse().unwrap();
            let found = types.into_iter().filter(|text| parsed.matches(&text.parse().unwrap()));
            assert_eq!((found.collect::<Vec<_>>(), parsed.to_string()), (meant, pattern.to_owned()));
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in
            ["", "a.", "*.closed", "a*b", "**", "Account.*", "a b*", &format!("{}*", "a".repeat(100))]
        {
            assert!(EventTypePattern::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
