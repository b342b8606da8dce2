use std::borrow::Cow;

use serde_json::Value;

/// Most choices that one sentence lists.
const MOST_LISTED: usize = 30;

/// The JSON type of a value as schemas name it; a whole number is an `integer`.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value of type `given` is one of type `wanted`.
pub(super) fn is_a(given: &str, wanted: &str) -> bool {
    given == wanted || (given == "integer" && wanted == "number")
}

/// A type with its article.
pub(super) fn a_type(name: &str) -> Cow<'static, str> {
    Cow::Borrowed(match name {
        "null" => "null",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        other => return Cow::Owned(other.to_owned()),
    })
}

/// What a value is, said of the value at fault.
pub(super) fn this_is(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) if type_of(value) == "integer" => "a whole number",
        Value::Number(_) => "a number with a fraction",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What the text of `format` must be.
pub(super) fn a_format(format: &str) -> Cow<'static, str> {
    Cow::Borrowed(match format {
        "date-time" => "a date and time with an offset, as in 2026-01-31T12:00:00Z",
        "date" => "a date, as in 2026-01-31",
        "time" => "a time of day, as in 12:00:00",
        "email" | "idn-email" => "an email address",
        "uuid" => "a UUID",
        "uri" | "iri" => "an absolute URI",
        "uri-reference" | "iri-reference" => "a URI or a relative reference",
        "hostname" | "idn-hostname" => "a host name",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "regex" => "a regular expression",
        "json-pointer" => "a JSON Pointer",
        other => return Cow::Owned(format!("a text of the format {other}")),
    })
}

/// A number and what it counts.
pub(super) fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `'a', 'b' or 'c'`: strings in single quotes, anything else as JSON writes it.
pub(super) fn one_of(choices: &[&Value]) -> String {
    let quoted: Vec<_> = choices
        .iter()
        .map(|choice| match choice {
            Value::String(text) => format!("'{text}'"),
            other => other.to_string(),
        })
        .collect();
    alternatives(&quoted)
}

/// `a, b or c`.
pub(super) fn alternatives<S: AsRef<str>>(alternatives: &[S]) -> String {
    let texts: Vec<_> = alternatives.iter().map(AsRef::as_ref).collect();
    match texts.as_slice() {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [most @ .., last] if texts.len() <= MOST_LISTED => format!("{} or {last}", most.join(", ")),
        many => format!("{} … ({} in all)", many[..MOST_LISTED].join(", "), many.len()),
    }
}
