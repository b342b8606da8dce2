use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// An email address: as it was written, but for the white space around it.
///
/// What is checked is what a mistake in typing would break: one `@`, a local part of the characters that need no
/// quotes, and a domain of at least two labels. Whether it exists, only a mail can tell.
///
/// Two addresses that differ in case alone are different texts but the same person's: compare [`Email::folded`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Trims, and checks length (at most 254 characters) and syntax.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        let text = text.trim();
        check_length("The email address", text, 3, 254)?;
        let sound =
            text.split_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
        if !sound {
            let message = "The email address must look like name@example.com";
            return Err(InvalidText::new("invalid_email", message));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form in which addresses are compared and unique: without case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}
// White space around it is allowed on the wire, since it is trimmed.
validated_text!(Email, {
    "type": "string", "minLength": 3, "maxLength": 254,
    "pattern": r"^\s*[^\s@]+@[^\s@.]+(\.[^\s@.]+)+\s*$"
});

/// RFC 5321's dot-string, of any script.
fn is_local_part(text: &str) -> bool {
    let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    text.chars().count() <= 64 && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_trimmed_and_compared_without_case() {
        let email = Email::new(" Admin@Acme.com\n").unwrap();
        assert_eq!(email.as_str(), "Admin@Acme.com");
        assert_eq!(email.folded(), "admin@acme.com");
        assert_eq!((email.local_part(), email.domain()), ("Admin", "Acme.com"));
        assert_eq!(Email::new("JÖRG@Müller.de").unwrap().folded(), "jörg@müller.de");
    }

    #[test]
    fn sound_addresses_pass() {
        for text in [
            "admin@acme.com",
            "john.doe@acme.com",
            "o'neill+trading@mail.example.co.uk",
            "a@b.io",
            "x_y-z@1-2.example",
            "用户@例子.广告",
        ] {
            assert!(Email::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            "plain",
            "@acme.com",
            "admin@",
            "admin@acme",
            "admin@@acme.com",
            "a@b@c.com",
            "ad min@acme.com",
            ".a@acme.com",
            "a.@acme.com",
            "a..b@acme.com",
            "a@.com",
            "a@acme..com",
            "a@acme.com.",
            "a@-acme.com",
            "a@acme-.com",
            "a@ac_me.com",
            "a@[127.0.0.1]",
            "\"a b\"@acme.com",
            "a\u{0}b@acme.com",
            "a<b@acme.com",
            "a@acme.com,b@acme.com",
        ] {
            assert_eq!(Email::new(text).unwrap_err().code, "invalid_email", "{text:?}");
        }
        assert_eq!(Email::new("  ").unwrap_err().code, "too_short");
        assert_eq!(Email::new(format!("{}@acme.com", "a".repeat(65))).unwrap_err().code, "invalid_email");
        let long = format!("a@{}com", "abcdefgh.".repeat(28));
        assert_eq!((long.len(), Email::new(long).unwrap_err().code), (257, "too_long"));
    }

    proptest! {
        #[test]
        fn an_address_stays_the_same_when_read_again(text in "[a-zA-Z0-9.+_-]{1,12}@[a-zA-Z0-9.-]{1,20}") {
            if let Ok(email) = Email::new(text) {
                let json = serde_json::to_string(&email).unwrap();
                let again: Email = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(again.folded(), email.folded());
                prop_assert_eq!(format!("{}@{}", email.local_part(), email.domain()), email.as_str());
            }
        }
    }
}
