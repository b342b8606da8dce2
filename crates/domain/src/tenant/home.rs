use uuid::Uuid;

use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// The name of a database server, as the operator calls it: `^[a-z][a-z0-9-]*$`, 1 to 32 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(String);

impl ClusterName {
    /// Checks length and alphabet.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The cluster's name", &text, 1, 32)?;
        let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !plain || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            let message = "A cluster's name begins with a letter and has only a-z, 0-9 and '-'";
            return Err(InvalidText::new("invalid_cluster", message));
        }
        Ok(Self(text))
    }
}
validated_text!(ClusterName, { "type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[a-z][a-z0-9-]*$" });

impl Default for ClusterName {
    /// `main`: the server of the control database, or the data directory.
    fn default() -> Self {
        Self("main".to_owned())
    }
}

/// Where a tenant's database lives, and as whom it is entered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Home {
    /// On which server. Decided when the tenant is announced, and never changed.
    pub cluster: ClusterName,
    /// Of which database's making the login is, where that was not made for this tenant; none: the tenant's own.
    pub login: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters_are_checked() {
        for (text, code) in [
            ("", "too_short"),
            ("Main", "invalid_cluster"),
            ("1a", "invalid_cluster"),
            ("a_b", "invalid_cluster"),
        ] {
            assert_eq!(ClusterName::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(ClusterName::new("a".repeat(33)).unwrap_err().code, "too_long");
        assert_eq!(ClusterName::default().as_str(), "main");
        assert!(ClusterName::new("eu-1").is_ok());
    }
}
