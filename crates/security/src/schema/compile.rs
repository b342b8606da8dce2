use std::collections::HashMap;

use serde_json::Value;
use tenantry_domain::json::canonical;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::SchemaSource;
use valico::json_schema::keywords::KeywordResult;
use valico::json_schema::schema::WalkContext;
use valico::json_schema::validators::BoxedValidator;
use valico::json_schema::{SchemaVersion, Scope, ValidationState, errors};

use super::faults::in_our_words;

/// One schema, ready to check documents.
pub(super) struct Compiled {
    schema: Value,
    check: Result<Check, String>,
}

type Check = Box<dyn Fn(&Value) -> Option<ValidationState>>;

impl Compiled {
    pub(super) fn new(source: &SchemaSource) -> Self {
        let schema = (source.generate)();
        let mut scope = Scope::with_formats(
            |formats| drop(formats.insert("date-time".to_owned(), Box::new(date_time_format))),
            SchemaVersion::Draft7,
        );
        scope.add_keyword(vec!["uniqueItems"], unique_items_keyword);
        let check = match scope.compile(schema.clone(), false) {
            Ok(id) => {
                Ok(Box::new(move |document: &Value| Some(scope.resolve(&id)?.validate(document))) as Check)
            }
            Err(error) => Err(format!("The schema {} cannot be used: {error}", source.name)),
        };
        Self { schema, check }
    }

    /// Fails closed: a schema that cannot be used, or that refers to something it lacks, accepts nothing.
    pub(super) fn findings(&self, document: &Value) -> Vec<Finding> {
        let unusable = |why: &str| vec![Finding::new(Pointer::root(), "invalid", why)];
        let state = match &self.check {
            Ok(check) => check(document),
            Err(error) => return unusable(error),
        };
        match state {
            Some(state) if state.is_strictly_valid() => Vec::new(),
            Some(state) if !state.errors.is_empty() => in_our_words(&self.schema, document, &state.errors),
            _ => unusable("The document cannot be checked: its schema refers to something it lacks"),
        }
    }
}

/// valico compares every item with every other, which a long list of distinct items turns into minutes.
fn unique_items_keyword(schema: &Value, _: &WalkContext<'_>) -> KeywordResult {
    let wanted = schema.get("uniqueItems") == Some(&Value::Bool(true));
    Ok(wanted.then(|| Box::new(unique_items) as BoxedValidator))
}

fn unique_items(value: &Value, path: &str, _: &Scope, _: &ValidationState) -> ValidationState {
    let mut state = ValidationState::new();
    if value.as_array().is_some_and(|items| first_repeated(items).is_some()) {
        state.errors.push(Box::new(errors::UniqueItems { path: path.to_owned() }));
    }
    state
}

/// The indexes of the first item that repeats an earlier one: the earlier, then the later.
pub(super) fn first_repeated(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(items.len());
    items
        .iter()
        .enumerate()
        .find_map(|(later, item)| seen.insert(canonical(item), later).map(|first| (first, later)))
}

/// valico lets a space stand for the `T`, which readers of our documents need not accept.
fn date_time_format(_: &Value, _: &WalkContext<'_>) -> KeywordResult {
    Ok(Some(Box::new(date_time)))
}

fn date_time(value: &Value, path: &str, _: &Scope, _: &ValidationState) -> ValidationState {
    let mut state = ValidationState::new();
    if let Some(text) = value.as_str()
        && (chrono::DateTime::parse_from_rfc3339(text).is_err() || text.contains(' '))
    {
        state.errors.push(Box::new(errors::Format { path: path.to_owned(), detail: String::new() }));
    }
    state
}
