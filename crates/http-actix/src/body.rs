//! Request bodies: limited, JSON, typed, and with everything that is wrong told at once.
//!
//! The fast path parses the bytes straight into the type. Only a body that fails there is looked at more closely: with
//! the type's JSON Schema and with the rules of the domain's types, which find everything and not just the first fault.

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_path_to_error::Segment;
use tenantry_domain::text::InvalidText;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{SchemaCheck, SchemaSource};

use crate::problem::{Code, Problem};

/// A type that bodies are parsed into.
pub(crate) trait Body: DeserializeOwned + JsonSchema {
    /// Members that are text with rules of their own: where they are, and what checks them. Their findings are more
    /// precise than the schema's, and replace them.
    const TEXTS: &'static [(&'static str, TextCheck)] = &[];

    /// Whether it has to be a JSON object. What parses bodies would take an array for one with its members in order.
    const OBJECT: bool = true;

    /// Everything that is wrong with a document, where there is a better way to find it than by the type's schema; nothing
    /// otherwise.
    fn faults(document: &Value, schemas: &dyn SchemaCheck) -> Vec<Finding> {
        let _ = (document, schemas);
        Vec::new()
    }
}

/// Says what is wrong with a text.
pub(crate) type TextCheck = fn(&str) -> Result<(), InvalidText>;

/// Any document.
impl Body for Value {
    const OBJECT: bool = false;
}

/// What is there is meant, even `null`: for members that may be left out to leave something as it is.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The check of a domain type.
pub(crate) fn text<T: FromStr<Err = InvalidText>>(text: &str) -> Result<(), InvalidText> {
    text.parse::<T>().map(drop)
}

/// A body.
#[derive(Debug)]
pub(crate) struct Received<T> {
    /// What it says.
    pub(crate) value: T,
    /// The very bytes.
    pub(crate) bytes: Bytes,
}

/// The media type without parameters if it is JSON; `application/problem+json` and its like are JSON, too.
pub(crate) fn content_type(request: &HttpRequest) -> Result<&str, Problem> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    if is_json(essence) {
        return Ok(essence);
    }
    let detail = match essence {
        "" => "The Content-Type header is missing; it has to be application/json".to_owned(),
        other => format!("The Content-Type is {other:?}; it has to be application/json"),
    };
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn is_json(essence: &str) -> bool {
    let suffix = |text: &str, end: &str| {
        text.len()
            .checked_sub(end.len())
            .and_then(|at| text.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    essence.eq_ignore_ascii_case("application/json") || (essence.contains('/') && suffix(essence, "+json"))
}

/// Whether the body is a form, as its sender says.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The whole body, if it is not larger than `limit` bytes. One that says it is larger is not read.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(Code::PayloadTooLarge, format!("The body may have at most {limit} bytes"))
            .with("limit", limit)
    };
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(interrupted)?;
    if first.len() > limit {
        return Err(too_large());
    }
    // Most bodies come in one piece, which then is not copied.
    let Some(second) = payload.next().await else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = chunk.map_err(interrupted)?;
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
        next = payload.next().await;
    }
    Ok(whole.freeze())
}

fn interrupted(error: PayloadError) -> Problem {
    Problem::new(Code::BadRequest, "The body could not be read to its end").because(error)
}

/// What the body says, or everything that is wrong with it.
pub(crate) fn parse<T: Body>(bytes: Bytes, schemas: &dyn SchemaCheck) -> Result<Received<T>, Problem> {
    match serde_json::from_slice(&bytes) {
        Ok(_) if T::OBJECT && !is_object(&bytes) => {
            Err(faults::<T>(&bytes, &Refusal::at_all("an object is expected"), schemas))
        }
        Ok(value) => Ok(Received { value, bytes }),
        // Not every error that serde calls one of syntax is: a `null` where an enum is expected, for one.
        Err(error) => {
            let refusal = Refusal::of::<T, _>(&mut serde_json::Deserializer::from_slice(&bytes), &error);
            Err(faults::<T>(&bytes, &refusal, schemas))
        }
    }
}

/// What is wrong with a document in the words of what parses it, for faults that neither a check of a text nor the schema finds:
/// of a number with too many digits, for one.
struct Refusal {
    pointer: Pointer,
    message: String,
}

impl Refusal {
    fn at_all(message: impl ToString) -> Self {
        Self { pointer: Pointer::root(), message: message.to_string() }
    }

    /// What is parsed once more, to find the place of the error.
    fn of<'de, T: Deserialize<'de>, D: Deserializer<'de>>(document: D, error: &serde_json::Error) -> Self {
        let Err(again) = serde_path_to_error::deserialize::<D, T>(document) else {
            return Self::at_all(error);
        };
        let pointer = again.path().iter().fold(Pointer::root(), |pointer, segment| match segment {
            Segment::Seq { index } => pointer.index(*index),
            Segment::Map { key } => pointer.member(key),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        });
        Self { pointer, message: again.into_inner().to_string() }
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(Code::MalformedJson, format!("The body is not JSON: {error}"))
        .with("line", line)
        .with("column", column)
}

fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

fn faults<T: Body>(bytes: &[u8], refusal: &Refusal, schemas: &dyn SchemaCheck) -> Problem {
    let document: Value = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(error) => return malformed(&error),
    };
    let findings = findings::<T>(&document, refusal, schemas);
    match findings.as_slice() {
        // The source documents give this one a title of its own.
        [only] if only.code == "invalid_plan" => {
            Problem::new(Code::InvalidPlan, only.message.clone()).with_errors(findings)
        }
        _ => Problem::invalid(findings),
    }
}

/// What a part of a body says that is at `place` in it, or everything that is wrong with it.
pub(crate) fn part<T: Body>(
    document: &Value,
    place: &Pointer,
    schemas: &dyn SchemaCheck,
) -> Result<T, Vec<Finding>> {
    let refusal = match T::deserialize(document) {
        Ok(_) if T::OBJECT && !document.is_object() => Refusal::at_all("an object is expected"),
        Ok(value) => return Ok(value),
        Err(error) => Refusal::of::<T, _>(document, &error),
    };
    let mut findings = findings::<T>(document, &refusal, schemas);
    findings.iter_mut().for_each(|finding| finding.pointer = place.join(&finding.pointer));
    Err(findings)
}

/// Everything that is wrong with a document that is not taken for this reason.
fn findings<T: Body>(document: &Value, refusal: &Refusal, schemas: &dyn SchemaCheck) -> Vec<Finding> {
    let found = T::faults(document, schemas);
    if !found.is_empty() {
        return found;
    }
    let mut findings: Vec<Finding> = T::TEXTS
        .iter()
        .filter_map(|(pointer, check)| {
            let text = document.pointer(pointer)?.as_str()?;
            check(text).err().map(|error| error.at(pointer_to(pointer)))
        })
        .collect();
    let source = SchemaSource { name: std::any::type_name::<T>(), generate: schema::<T> };
    let told = findings.len();
    for finding in schemas.findings(&source, document) {
        if !findings[..told].iter().any(|known| known.pointer == finding.pointer) {
            findings.push(finding);
        }
    }
    findings.sort();
    if findings.is_empty() {
        let Refusal { pointer, message } = refusal;
        findings.push(Finding::new(pointer.clone(), "invalid_value", capitalised(message)));
    }
    findings
}

/// The JSON Schema (draft 7) of a body, for checks.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07();
    // Without references a checker can name the member at fault instead of the definition.
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn pointer_to(text: &str) -> Pointer {
    text.split('/').skip(1).fold(Pointer::root(), |pointer, name| pointer.member(name))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_json_with_parameters_and_suffixes_in_any_case() {
        for json in
            ["application/json", "Application/JSON", "application/merge-patch+json", "application/vnd.x+JSON"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in
            ["", "text/json", "application/jsonx", "application/x-www-form-urlencoded", "+json", "é+jso"]
        {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn pointers_are_read_segment_by_segment() {
        assert_eq!(pointer_to("/admin/email").as_str(), "/admin/email");
        assert_eq!(pointer_to("").as_str(), "");
    }
}
