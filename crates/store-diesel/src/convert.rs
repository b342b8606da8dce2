//! Between the domain's values and columns. What cannot be read back is named, not guessed.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenantry_ports::{StoreError, StoreResult};

/// A moment as it is stored: whole microseconds, which is what both databases keep exactly.
pub(crate) const fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// The stored moment.
pub(crate) fn time(what: &'static str, micros: i64) -> StoreResult<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| StoreError::corrupt(what, "a time beyond the calendar"))
}

/// The stored moment, if there is one.
pub(crate) fn optional_time(what: &'static str, micros: Option<i64>) -> StoreResult<Option<DateTime<Utc>>> {
    micros.map(|micros| time(what, micros)).transpose()
}

/// A value that is stored as its text.
pub(crate) fn parse<T: FromStr<Err: Display>>(what: &'static str, text: &str) -> StoreResult<T> {
    text.parse().map_err(|error| StoreError::corrupt(what, error))
}

/// A value that is stored as its text, if there is one.
pub(crate) fn optional<T: FromStr<Err: Display>>(
    what: &'static str,
    text: Option<&str>,
) -> StoreResult<Option<T>> {
    text.map(|text| parse(what, text)).transpose()
}

/// One of a closed set of names.
pub(crate) fn named<T>(
    what: &'static str,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> StoreResult<T> {
    parse(name).ok_or_else(|| StoreError::corrupt(what, format!("there is no {name:?}")))
}

/// A value that is stored as JSON.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(what, error))
}

/// A value as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(Box::new(error)))
}

/// A stored SHA-256.
pub(crate) fn sha256(what: &'static str, bytes: &[u8]) -> StoreResult<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::corrupt(what, format!("a hash of {} bytes", bytes.len())))
}

/// A stored number that is not negative and fits the smaller type.
pub(crate) fn number<T: TryFrom<i64>>(what: &'static str, number: i64) -> StoreResult<T> {
    T::try_from(number).map_err(|_| StoreError::corrupt(what, format!("{number} is out of range")))
}

/// `LIMIT`'s argument.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The `LIKE` pattern, escaped by `\`, of what contains `text` in lower case.
pub(crate) fn containing(text: &str) -> String {
    format!("%{}%", escaped(&text.to_lowercase()))
}

/// The `LIKE` pattern, escaped by `\`, of what begins with `text`.
pub(crate) fn beginning(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
