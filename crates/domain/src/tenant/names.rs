use uuid::Uuid;

use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// A tenant's name for people: 3 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantName(String);

impl TenantName {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The name", &text, 3, 200)?;
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(InvalidText::new(
                "invalid_name",
                "The name must not begin or end with white space or contain control characters",
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(TenantName, { "type": "string", "minLength": 3, "maxLength": 200 });

/// A tenant's short name in URLs and database names: `^[a-z0-9-]+$`, 3 to 50 characters, none of [`Slug::RESERVED`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Names that would collide with a route of the product.
    pub const RESERVED: [&'static str; 16] = [
        "tenants",
        "provision",
        "auth",
        "oauth",
        "admin",
        "console",
        "health",
        "metrics",
        "swagger",
        "openapi",
        "www",
        "api",
        "schemas",
        "problems",
        "static",
        "well-known",
    ];

    /// What a database that is nobody's yet goes by where others have their tenant's slug.
    pub fn pooled(id: Uuid) -> Self {
        Self(format!("pool-{}", id.simple()))
    }

    /// Checks length, alphabet and the reserved names.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The slug", &text, 3, 50)?;
        if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(InvalidText::new(
                "invalid_slug",
                "The slug may contain only lower-case letters a-z, digits and '-'",
            ));
        }
        if Self::RESERVED.contains(&text.as_str()) {
            return Err(InvalidText::new(
                "reserved_slug",
                format!("The slug '{text}' is reserved by the product; choose another"),
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(Slug, { "type": "string", "minLength": 3, "maxLength": 50, "pattern": "^[a-z0-9-]+$" });

/// What the name of every tenant database begins with, `ecom_tenant_` by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabasePrefix(String);

impl DatabasePrefix {
    /// Longest prefix that leaves room for the longest slug in PostgreSQL's 63 bytes.
    pub const MAX_LENGTH: usize = 63 - 50;

    /// Checks the alphabet (`a-z`, `0-9`, `_`, beginning with a letter) and the length, 1 to 13.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The database prefix", &text, 1, Self::MAX_LENGTH)?;
        let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !plain || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(InvalidText::new(
                "invalid_prefix",
                "The database prefix must begin with a letter and contain only a-z, 0-9 and '_'",
            ));
        }
        Ok(Self(text))
    }

    /// The prefix itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DatabasePrefix {
    fn default() -> Self {
        Self("ecom_tenant_".to_owned())
    }
}

/// The name of a tenant's database: prefix and slug, with `_` for `-`, at most 63 bytes.
///
/// Two slugs never share a name, since no slug contains `_`. A database that is kept ready for a tenant to come has a
/// name with a `~`, which no tenant's own has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatabaseName(String);

impl DatabaseName {
    /// The name of the database of the tenant with this slug.
    pub fn of(prefix: &DatabasePrefix, slug: &Slug) -> Self {
        Self(format!("{}{}", prefix.0, slug.0.replace('-', "_")))
    }

    /// The name of a database that is nobody's yet.
    pub fn pooled(prefix: &DatabasePrefix, id: Uuid) -> Self {
        Self(format!("{}~pool_{}", prefix.0, id.simple()))
    }

    /// Reads a stored name back: 1 to 63 bytes of `a-z`, `0-9`, `_` and `~`.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The database name", &text, 1, 63)?;
        if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'~')) {
            return Err(InvalidText::new(
                "invalid_database_name",
                "A database name has only a-z, 0-9, '_' and '~'",
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(DatabaseName, { "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9_~]+$" });

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_are_checked_in_length_alphabet_and_reservation() {
        for (text, code) in [
            ("ab", "too_short"),
            ("", "too_short"),
            ("Acme", "invalid_slug"),
            ("ac_me", "invalid_slug"),
            ("ac me", "invalid_slug"),
            ("acmé", "invalid_slug"),
            ("a\"; drop database x; --", "invalid_slug"),
            ("tenants", "reserved_slug"),
            ("api", "reserved_slug"),
        ] {
            assert_eq!(Slug::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(Slug::new("x".repeat(51)).unwrap_err().code, "too_long");
        assert!(Slug::new("x".repeat(50)).is_ok());
        assert!(Slug::new("a-1").is_ok());
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(TenantName::new("ab").unwrap_err().code, "too_short");
        assert_eq!(TenantName::new("é".repeat(201)).unwrap_err().code, "too_long");
        assert_eq!(TenantName::new("a\nbc").unwrap_err().code, "invalid_name");
        assert_eq!(TenantName::new(" abc").unwrap_err().code, "invalid_name");
        assert!(TenantName::new("é".repeat(200)).is_ok());
    }

    #[test]
    fn the_source_documents_database_name() {
        let name = DatabaseName::of(&DatabasePrefix::default(), &Slug::new("acme").unwrap());
        assert_eq!(name.as_str(), "ecom_tenant_acme");
    }

    proptest! {
        #[test]
        fn database_names_are_valid_and_never_shared(a in "[a-z0-9-]{3,50}", b in "[a-z0-9-]{3,50}") {
            prop_assume!(!Slug::RESERVED.contains(&a.as_str()) && !Slug::RESERVED.contains(&b.as_str()));
            let prefix = DatabasePrefix::new("p".repeat(DatabasePrefix::MAX_LENGTH)).unwrap();
            let of = |slug: &str| DatabaseName::of(&prefix, &Slug::new(slug).unwrap());
            prop_assert!(DatabaseName::new(of(&a).as_str()).is_ok());
            prop_assert_eq!(of(&a) == of(&b), a == b);
            let placeholder = Slug::pooled(Uuid::from_u128(b.len() as u128));
            prop_assert_eq!(Slug::new(placeholder.as_str()), Ok(placeholder));
            let pooled = DatabaseName::pooled(&prefix, Uuid::from_u128(a.len() as u128));
            prop_assert!(DatabaseName::new(pooled.as_str()).is_ok());
            prop_assert_ne!(pooled, of(&a));
        }
    }
}
