use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// The name a tenant gives a config, as in `25k-eval-v1`: `^[a-z0-9-]+$`, 3 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigId(String);

impl ConfigId {
    /// The longest id, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Checks length and alphabet.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The config id", &text, 3, Self::MAX_LENGTH)?;
        if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(InvalidText::new(
                "invalid_config_id",
                "The config id may contain only lower-case letters a-z, digits and '-'",
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(ConfigId, { "type": "string", "minLength": 3, "maxLength": 64, "pattern": "^[a-z0-9-]+$" });

/// The number of a stored version of a config, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct ConfigVersion(u32);

/// There is no version 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("config versions are counted from 1")]
pub struct InvalidConfigVersion;

impl ConfigVersion {
    /// The version of the first upload.
    pub const FIRST: Self = Self(1);

    /// The highest number there can be.
    pub const LAST: Self = Self(u32::MAX);

    /// The version with this number, which is at least 1.
    pub const fn new(number: u32) -> Result<Self, InvalidConfigVersion> {
        if number == 0 { Err(InvalidConfigVersion) } else { Ok(Self(number)) }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The version of the upload before this one; of the first, itself.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.0 == 1 { self } else { Self(self.0 - 1) }
    }

    /// The version of the upload after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl TryFrom<u32> for ConfigVersion {
    type Error = InvalidConfigVersion;

    fn try_from(number: u32) -> Result<Self, InvalidConfigVersion> {
        Self::new(number)
    }
}

impl fmt::Display for ConfigVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl JsonSchema for ConfigVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ConfigVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
    }
}

/// The id to suggest where `id` is taken: its `-v<number>` counted up (an id without one gets `-v2`) until `taken`
/// says no. An id that would become longer than 64 characters is shortened before its suffix.
///
/// Fails only when `taken` does.
pub fn next_free_id<E>(
    id: &ConfigId,
    mut taken: impl FnMut(&ConfigId) -> Result<bool, E>,
) -> Result<ConfigId, E> {
    let (stem, mut version) = split_version(id.as_str());
    loop {
        version = version.saturating_add(1);
        let suffix = format!("-v{version}");
        // Ids are ASCII, so bytes are characters.
        let stem = &stem[..stem.len().min(ConfigId::MAX_LENGTH - suffix.len())];
        let candidate = ConfigId(format!("{stem}{suffix}"));
        if !taken(&candidate)? {
            return Ok(candidate);
        }
    }
}

/// What comes before `-v<number>`, and the number; the whole id and 1 where there is none.
fn split_version(id: &str) -> (&str, u64) {
    let versioned = id.rsplit_once("-v").and_then(|(stem, digits)| {
        let number = u64::from(digits.parse::<u32>().ok()?);
        (!stem.is_empty()).then_some((stem, number))
    });
    versioned.unwrap_or((id, 1))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn next(id: &str, taken: &[&str]) -> String {
        let taken = |id: &ConfigId| Ok::<_, Infallible>(taken.contains(&id.as_str()));
        next_free_id(&ConfigId::new(id).unwrap(), taken).unwrap().to_string()
    }

    #[test]
    fn the_suggested_id_counts_the_suffix_up() {
        assert_eq!(next("25k-eval-v1", &[]), "25k-eval-v2");
        assert_eq!(next("25k-eval-v9", &[]), "25k-eval-v10");
        assert_eq!(next("25k-eval-v1", &["25k-eval-v2", "25k-eval-v3"]), "25k-eval-v4");
        assert_eq!(next("25k-eval", &[]), "25k-eval-v2");
        assert_eq!(next("25k-eval", &["25k-eval-v2"]), "25k-eval-v3");
        assert_eq!(next("25k-v99999999999", &[]), "25k-v99999999999-v2");
        assert_eq!(next("-v1", &[]), "-v1-v2");
        assert_eq!(next("a-v", &[]), "a-v-v2");
    }

    #[test]
    fn a_failing_lookup_fails_the_suggestion() {
        assert_eq!(
            next_free_id(&ConfigId::new("25k-eval-v1").unwrap(), |_| Err("store is down")),
            Err("store is down")
        );
    }

    #[test]
    fn ids_are_checked() {
        for (text, code) in [("ab", "too_short"), ("ABC", "invalid_config_id"), ("a_c", "invalid_config_id")]
        {
            assert_eq!(ConfigId::new(text).unwrap_err().code, code, "{text}");
        }
        assert_eq!(ConfigId::new("x".repeat(65)).unwrap_err().code, "too_long");
    }

    #[test]
    fn versions_count_from_one() {
        assert!(ConfigVersion::new(0).is_err());
        assert!(serde_json::from_str::<ConfigVersion>("0").is_err());
        assert_eq!(serde_json::from_str::<ConfigVersion>("1").unwrap(), ConfigVersion::FIRST);
        assert_eq!(ConfigVersion::FIRST.next().get(), 2);
        assert_eq!(ConfigVersion::FIRST.next().previous(), ConfigVersion::FIRST);
        assert_eq!(ConfigVersion::FIRST.previous(), ConfigVersion::FIRST);
    }

    proptest! {
        #[test]
        fn the_suggestion_is_a_valid_free_id(id in "[a-z0-9-]{3,64}|[a-z0-9-]{1,50}-v[0-9]{1,12}", skip in 0usize..12) {
            let mut skipped = Vec::new();
            let id = ConfigId::new(id).unwrap();
            let next = next_free_id(&id, |candidate| {
                skipped.push(candidate.clone());
                Ok::<_, Infallible>(skipped.len() <= skip)
            }).unwrap();
            prop_assert!(ConfigId::new(next.as_str()).is_ok());
            prop_assert_ne!(&next, &id);
            prop_assert!(!skipped[..skip].contains(&next));
        }
    }
}
