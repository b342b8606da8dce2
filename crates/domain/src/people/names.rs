use super::Email;
use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// The name a person signs in with or is known by: 3 to 50 letters and digits of any script, `.`, `_` and `-`.
/// Unique within a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    const MIN_LENGTH: usize = 3;
    const MAX_LENGTH: usize = 50;

    /// Checks length and alphabet.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The username", &text, Self::MIN_LENGTH, Self::MAX_LENGTH)?;
        if !text.chars().all(is_allowed) {
            return Err(InvalidText::new(
                "invalid_username",
                "The username may contain only letters, digits, '.', '_' and '-'",
            ));
        }
        Ok(Self(text))
    }

    /// The username of somebody who was created without one: what stands before the `@`, with `-` for every character
    /// a username cannot have. One that would be too short is followed by the first label of the domain.
    pub fn from_email(email: &Email) -> Self {
        let mut name = email.local_part().to_owned();
        if name.chars().count() < Self::MIN_LENGTH {
            // A part before the `@`, the dot and a label are at least three characters.
            let label = email.domain().split('.').next().unwrap_or_default();
            name = format!("{name}.{label}");
        }
        let name = name.chars().map(|c| if is_allowed(c) { c } else { '-' });
        Self(name.take(Self::MAX_LENGTH).collect())
    }
}
validated_text!(Username, {
    "type": "string", "minLength": 3, "maxLength": 50, "pattern": r"^[\p{Alphabetic}\p{N}._-]+$"
});

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// A first or last name: 1 to 100 characters, whatever they are, except control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The name", &text, 1, 100)?;
        check_printable("The name", &text, "invalid_name")?;
        Ok(Self(text))
    }
}
validated_text!(PersonName, {
    "type": "string", "minLength": 1, "maxLength": 100, "pattern": PRINTABLE
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn default_of(email: &str) -> String {
        Username::from_email(&Email::new(email).unwrap()).to_string()
    }

    #[test]
    fn usernames_are_checked() {
        for text in ["acmeadmin", "johndoe", "j.d_-1", "jörg", "田中太郎"] {
            assert!(Username::new(text).is_ok(), "{text}");
        }
        for (text, code) in
            [("ab", "too_short"), ("a b c", "invalid_username"), ("a@b.c", "invalid_username")]
        {
            assert_eq!(Username::new(text).unwrap_err().code, code, "{text}");
        }
        assert!(Username::new("é".repeat(50)).is_ok());
        assert_eq!(Username::new("é".repeat(51)).unwrap_err().code, "too_long");
    }

    #[test]
    fn the_default_username_comes_from_the_email() {
        assert_eq!(default_of("admin@acme.com"), "admin");
        assert_eq!(default_of("john.doe+x@acme.com"), "john.doe-x");
        assert_eq!(default_of("jo@acme.com"), "jo.acme");
        assert_eq!(default_of("+@b.io"), "-.b");
    }

    #[test]
    fn names_of_people_are_anything_printable() {
        for text in ["Acme", "O'Neill", "José María", "李"] {
            assert!(PersonName::new(text).is_ok(), "{text}");
        }
        for (text, code) in
            [("", "too_short"), (" ", "invalid_name"), ("a\tb", "invalid_name"), ("a ", "invalid_name")]
        {
            assert_eq!(PersonName::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(PersonName::new("é".repeat(101)).unwrap_err().code, "too_long");
    }

    proptest! {
        #[test]
        fn every_email_gives_a_valid_username(local in "[a-zA-Z0-9+!'é_-]{1,64}", domain in "[a-z0-9ü]{1,60}") {
            let name = default_of(&format!("{local}@{domain}.com"));
            prop_assert!(Username::new(name.as_str()).is_ok(), "{}", name);
        }
    }
}
