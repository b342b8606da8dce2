use serde_json::Value;
use tenantry_domain::Finding;
use valico::common::error::ValicoError;
use valico::json_schema::errors;

use super::choices;
use super::compile::first_repeated;
use super::locate::Place;
use super::nearest::nearest;
use super::words::{a_format, a_type, alternatives, count, is_a, one_of, this_is, type_of};

/// What valico found in `document`, as findings: sorted, each once.
pub(super) fn in_our_words(schema: &Value, document: &Value, found: &[Box<dyn ValicoError>]) -> Vec<Finding> {
    explain(&Place::document(schema, document), found)
}

/// What valico found at and below `place`.
pub(super) fn explain(place: &Place<'_>, found: &[Box<dyn ValicoError>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for error in found {
        if let Some(errors::AnyOf { path, states }) = error.downcast_ref() {
            findings.extend(choices::explain(&place.at(path), "anyOf", states));
        } else if let Some(errors::OneOf { path, states }) = error.downcast_ref() {
            findings.extend(choices::explain(&place.at(path), "oneOf", states));
        } else {
            findings.push(explain_one(place, &**error));
        }
    }
    tidy(findings)
}

/// Of a value of the wrong type nothing else is worth saying.
fn tidy(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_unstable();
    findings.dedup();
    let mistyped: Vec<_> =
        findings.iter().filter(|f| f.code == "wrong_type").map(|f| f.pointer.clone()).collect();
    findings.retain(|f| f.code == "wrong_type" || mistyped.binary_search(&f.pointer).is_err());
    findings
}

fn explain_one(base: &Place<'_>, error: &dyn ValicoError) -> Finding {
    let path = error.get_path();
    if error.get_code() == "required" {
        return match base.at_missing(path) {
            Some((object, name)) => required(&object, &name),
            None => general(base),
        };
    }
    match base.find(path) {
        Some(place) => fault(&place, error),
        None => match base.at_name(path) {
            Some((object, name)) => unknown(&object, &name),
            None => general(base),
        },
    }
}

fn fault(place: &Place<'_>, error: &dyn ValicoError) -> Finding {
    match error.get_code() {
        "wrong_type" => wrong_type(place, &wanted_types(place)),
        "properties" => match error.get_detail().and_then(name_in_detail) {
            Some(name) => unknown(place, name),
            None => general(place),
        },
        "enum" | "const" => not_allowed(place, &wanted_values(place)),
        "min_length" | "max_length" => length(place, error.get_code() == "min_length"),
        "min_items" | "max_items" | "items" => items(place, error.get_code() == "min_items"),
        "minimum" | "maximum" => range(place, error.get_code() == "minimum"),
        "pattern" => pattern(place),
        "format" => format(place),
        "unique_items" => repeated(place),
        "multiple_of" => other(place, "multipleOf", "be a multiple of"),
        "min_properties" => other(place, "minProperties", "have this many members or more:"),
        "max_properties" => other(place, "maxProperties", "have this many members or fewer:"),
        _ => general(place),
    }
}

fn finding(place: &Place<'_>, code: &'static str, rest: &str) -> Finding {
    Finding::new(place.pointer.clone(), code, format!("{} {rest}", place.name()))
}

fn general(place: &Place<'_>) -> Finding {
    finding(place, "invalid", "is not as the schema wants it")
}

/// `object` lacks a member that it must have.
pub(super) fn required(object: &Place<'_>, name: &str) -> Finding {
    finding(&object.member(name), "required", "is required")
}

/// The value is of none of the types `wanted`.
pub(super) fn wrong_type(place: &Place<'_>, wanted: &[&str]) -> Finding {
    let mut names: Vec<_> = wanted.iter().map(|name| a_type(name)).collect();
    names.dedup();
    let rest = format!("must be {}, this is {}", alternatives(&names), this_is(place.value));
    finding(place, "wrong_type", &rest)
}

fn wanted_types<'a>(place: &Place<'a>) -> Vec<&'a str> {
    let given = type_of(place.value);
    let sets = place.keyword("type").map(|types| match types {
        Value::Array(set) => set.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    });
    sets.into_iter().find(|set| !set.iter().any(|wanted| is_a(given, wanted))).unwrap_or_default()
}

/// The value is none of `wanted`.
pub(super) fn not_allowed(place: &Place<'_>, wanted: &[&Value]) -> Finding {
    let given = type_of(place.value);
    let mut types: Vec<_> = wanted.iter().map(|value| type_of(value)).collect();
    types.sort_unstable();
    types.dedup();
    if !types.is_empty() && !types.contains(&given) {
        return wrong_type(place, &types);
    }
    let texts = wanted.iter().filter_map(|value| value.as_str());
    let hint = match place.value.as_str().and_then(|text| nearest(text, texts)) {
        Some(meant) if wanted.len() > 1 => format!("; did you mean '{meant}'?"),
        _ => String::new(),
    };
    let one_of_them = if wanted.len() > 1 { "one of " } else { "" };
    finding(place, "not_allowed", &format!("must be {one_of_them}{}{hint}", one_of(wanted)))
}

fn wanted_values<'a>(place: &Place<'a>) -> Vec<&'a Value> {
    let lists = place.keyword("enum").filter_map(Value::as_array).map(|list| list.iter().collect::<Vec<_>>());
    let constants = place.keyword("const").map(|constant| vec![constant]);
    lists.chain(constants).find(|list| !list.contains(&place.value)).unwrap_or_default()
}

fn name_in_detail(detail: &str) -> Option<&str> {
    detail.strip_prefix("Additional property '")?.strip_suffix("' is not allowed")
}

/// `object` has a member of a name that it may not have.
fn unknown(object: &Place<'_>, name: &str) -> Finding {
    const FEW: usize = 10;
    let pointer = object.pointer.member(name);
    let closed = object
        .schemas
        .iter()
        .filter(|schema| schema.get("additionalProperties") == Some(&Value::Bool(false)));
    let names_in = |schema: &Value, keyword| {
        let members = schema.get(keyword).and_then(Value::as_object);
        members.into_iter().flat_map(|members| members.keys().cloned()).collect::<Vec<_>>()
    };
    let (mut known, mut patterns) = (Vec::new(), Vec::new());
    for schema in closed {
        known.extend(names_in(schema, "properties"));
        patterns.extend(names_in(schema, "patternProperties"));
    }
    let free = known.iter().map(String::as_str).filter(|known| object.value.get(known).is_none());
    let hint = if let Some(meant) = nearest(name, free) {
        format!("; did you mean '{meant}'?")
    } else if !patterns.is_empty() {
        format!("; names here must match {}", alternatives(&patterns))
    } else if (1..=FEW).contains(&known.len()) {
        let known: Vec<_> = known.iter().map(|known| format!("'{known}'")).collect();
        format!("; it may have {}", alternatives(&known))
    } else {
        String::new()
    };
    let of = object.name_within();
    Finding::new(pointer, "unknown_member", format!("'{name}' is not a known member of {of}{hint}"))
}

/// The strictest limit of a keyword that `violated` says is violated.
fn limit(place: &Place<'_>, keyword: &str, violated: impl Fn(u64) -> bool) -> Option<u64> {
    place.keyword(keyword).filter_map(Value::as_u64).find(|limit| violated(*limit))
}

fn length(place: &Place<'_>, short: bool) -> Finding {
    let has = place.value.as_str().map_or(0, |text| text.chars().count() as u64);
    sized(place, short, has, ["minLength", "maxLength"], ["too_short", "too_long"], "character")
}

fn items(place: &Place<'_>, few: bool) -> Finding {
    let has = place.value.as_array().map_or(0, Vec::len) as u64;
    let codes = ["too_few_items", "too_many_items"];
    // A tuple's items are as many as it has schemas for.
    let tuple = place.keyword("items").filter_map(Value::as_array).map(|each| each.len() as u64);
    match tuple.into_iter().find(|most| !few && has > *most) {
        Some(most) => finding(place, codes[1], &at_most(most, has, "item")),
        None => sized(place, few, has, ["minItems", "maxItems"], codes, "item"),
    }
}

fn sized(
    place: &Place<'_>,
    too_little: bool,
    has: u64,
    keywords: [&str; 2],
    codes: [&'static str; 2],
    unit: &str,
) -> Finding {
    let (code, rest) = if too_little {
        let least = limit(place, keywords[0], |limit| has < limit);
        let rest = least.map(|least| format!("must have at least {}, this has {has}", count(least, unit)));
        (codes[0], rest)
    } else {
        let most = limit(place, keywords[1], |limit| has > limit);
        (codes[1], most.map(|most| at_most(most, has, unit)))
    };
    let vague = || format!("has too {} {unit}s", if too_little { "few" } else { "many" });
    finding(place, code, &rest.unwrap_or_else(vague))
}

fn at_most(most: u64, has: u64, unit: &str) -> String {
    format!("must have at most {}, this has {has}", count(most, unit))
}

fn range(place: &Place<'_>, below: bool) -> Finding {
    let given = place.value.as_f64().unwrap_or_default();
    let bound = |keyword, violated: fn(f64, f64) -> bool| {
        let limits = place.keyword(keyword).filter_map(Value::as_number);
        limits.into_iter().find(|limit| limit.as_f64().is_some_and(|limit| violated(given, limit)))
    };
    let (code, broken) = if below {
        let least = bound("minimum", |given, limit| given < limit).map(|limit| ("at least", limit));
        let above =
            || bound("exclusiveMinimum", |given, limit| given <= limit).map(|limit| ("more than", limit));
        ("too_small", least.or_else(above))
    } else {
        let most = bound("maximum", |given, limit| given > limit).map(|limit| ("at most", limit));
        let under =
            || bound("exclusiveMaximum", |given, limit| given >= limit).map(|limit| ("less than", limit));
        ("too_large", most.or_else(under))
    };
    let rest = match broken {
        Some((words, limit)) => format!("must be {words} {limit}, this is {}", place.value),
        None => "is out of range".to_owned(),
    };
    finding(place, code, &rest)
}

fn pattern(place: &Place<'_>) -> Finding {
    let patterns: Vec<_> = place.keyword("pattern").filter_map(Value::as_str).collect();
    finding(place, "pattern_mismatch", &format!("must match the pattern {}", patterns.join(" and ")))
}

fn format(place: &Place<'_>) -> Finding {
    let formats: Vec<_> = place.keyword("format").filter_map(Value::as_str).map(a_format).collect();
    finding(place, "invalid_format", &format!("must be {}", formats.join(" and ")))
}

fn repeated(place: &Place<'_>) -> Finding {
    let which = place.value.as_array().and_then(|items| first_repeated(items));
    let which = which.map(|(a, b)| format!("; items {a} and {b} are the same")).unwrap_or_default();
    finding(place, "duplicate_items", &format!("must not have the same item twice{which}"))
}

fn other(place: &Place<'_>, keyword: &str, demand: &str) -> Finding {
    match place.keyword(keyword).next() {
        Some(limit) => finding(place, "invalid", &format!("must {demand} {limit}")),
        None => general(place),
    }
}
