//! The values settings have on their way in: what TOML and the environment can say.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// One setting's value before it is read as what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// A TOML value that is no table, if it is of a kind that settings have.
    pub(crate) fn from_toml(value: &toml::Value) -> Option<Self> {
        match value {
            toml::Value::String(text) => Some(Self::Text(text.clone())),
            toml::Value::Integer(number) => Some(Self::Integer(*number)),
            toml::Value::Boolean(flag) => Some(Self::Flag(*flag)),
            _ => None,
        }
    }

    /// Reads text as a value of the same kind as this one; text stays text, whatever it looks like.
    pub(crate) fn parse_like(&self, text: &str) -> Option<Self> {
        match self {
            Self::Text(_) => Some(Self::Text(text.to_owned())),
            Self::Integer(_) => text.trim().parse().ok().map(Self::Integer),
            Self::Flag(_) => text.trim().parse().ok().map(Self::Flag),
        }
    }

    /// Whether both are of the same kind.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The kind, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text in quotes",
            Self::Integer(_) => "a whole number",
            Self::Flag(_) => "true or false",
        }
    }
}

/// As TOML writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", toml::Value::String(text.clone())),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// Reads a duration with its unit, as in `500ms`, `30s`, `10m`, `24h` or `30d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let milliseconds: Option<u64> = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let parsed =
        milliseconds.zip(number.parse::<u64>().ok()).and_then(|(unit, number)| number.checked_mul(unit));
    parsed
        .map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is no duration with a unit, such as 500ms, 30s, 10m, 24h or 30d"))
}

/// Writes a duration as [`duration`] reads it, in the largest unit that leaves no rest.
pub(crate) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| milliseconds.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ms"));
    format!("{}{name}", milliseconds / unit)
}

/// Reads a size with its unit, as in `512B`, `64KiB` or `1MiB`, in bytes.
pub(crate) fn size(text: &str) -> Result<u32, String> {
    let (number, unit) = split_unit(text);
    let bytes: Option<u32> = match unit {
        "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        _ => None,
    };
    let parsed = bytes.zip(number.parse::<u32>().ok()).and_then(|(unit, number)| number.checked_mul(unit));
    parsed.ok_or_else(|| format!("'{text}' is no size with a unit, such as 512B, 64KiB or 1MiB"))
}

fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for text in ["500ms", "30s", "10m", "24h", "30d"] {
            let again = duration(&duration_text(duration(text).unwrap()));
            assert_eq!(again, duration(text));
        }
        assert_eq!(duration_text(Duration::from_secs(90)), "90s");
        for wrong in ["", "30", "s", "-1s", "1.5h", "30 s", "1w", "99999999999999999999d", "999999999999999d"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!((size("512B"), size("64KiB"), size("1MiB")), (Ok(512), Ok(65_536), Ok(1_048_576)));
        for wrong in ["", "1", "1kb", "1MB", "-1B", "99999999999999999999MiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_from_the_environment_stays_text_and_numbers_are_strict() {
        let text = Value::Text(String::new());
        assert_eq!(text.parse_like("123"), Some(Value::Text("123".to_owned())));
        assert_eq!(Value::Integer(0).parse_like("5"), Some(Value::Integer(5)));
        assert_eq!(Value::Integer(0).parse_like("five"), None);
        assert_eq!(Value::Flag(true).parse_like("yes"), None);
        assert_eq!(Value::Flag(true).parse_like("false"), Some(Value::Flag(false)));
    }
}
