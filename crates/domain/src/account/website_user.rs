use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// What the tenant's website calls one of its users: 1 to 255 printable characters, compared exactly.
///
/// The website chooses it; tenantry knows nothing else of that person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebsiteUserId(String);

impl WebsiteUserId {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The user id", &text, 1, 255)?;
        check_printable("The user id", &text, "invalid_user_id")?;
        Ok(Self(text))
    }
}
validated_text!(WebsiteUserId, {
    "type": "string", "minLength": 1, "maxLength": 255, "pattern": PRINTABLE
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_printable_and_of_any_script() {
        for text in ["u", "user-42", "auth0|5f7c8ec7", "a b", "ユーザー"] {
            assert_eq!(WebsiteUserId::new(text).unwrap().as_str(), text);
        }
        assert!(WebsiteUserId::new("é".repeat(255)).is_ok());
        for (text, code) in [
            ("", "too_short"),
            (" ", "invalid_user_id"),
            (" a", "invalid_user_id"),
            ("a ", "invalid_user_id"),
            ("a\nb", "invalid_user_id"),
            ("a\u{0}", "invalid_user_id"),
            ("a\u{85}b", "invalid_user_id"),
        ] {
            assert_eq!(WebsiteUserId::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(WebsiteUserId::new("é".repeat(256)).unwrap_err().code, "too_long");
    }
}
