//! From schemars' schemas to utoipa's.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema as JsonSchemaValue, SchemaGenerator};
use serde_json::{Map, Value};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// The schema of a type, with references to those of its parts.
pub(crate) fn schema_of<T: JsonSchema>() -> RefOr<Schema> {
    let (root, mut definitions) = generate::<T>();
    convert(definitions.remove(T::schema_name().as_ref()).unwrap_or(root))
}

/// The schemas of the parts of a type.
pub(crate) fn definitions_of<T: JsonSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    let (_, mut definitions) = generate::<T>();
    definitions.remove(T::schema_name().as_ref());
    schemas.extend(definitions.into_iter().map(|(name, schema)| (name, convert(schema))));
}

/// The schema of a type (a reference, unless it is one that is written in place) and of everything it refers to.
fn generate<T: JsonSchema>() -> (Value, Map<String, Value>) {
    let mut generator = generator();
    let root = generator.subschema_for::<T>().to_value();
    (root, generator.take_definitions(true))
}

/// A generator that writes every part where it is used. What it makes is to be [`adapted`].
pub(super) fn inlining() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator()
}

/// The same schema in the words that utoipa has.
pub(super) fn adapted(schema: Value) -> Value {
    match JsonSchemaValue::try_from(schema) {
        Ok(mut schema) => {
            RecursiveTransform(adapt).transform(&mut schema);
            schema.to_value()
        }
        // None of ours is anything else.
        Err(_) => Value::Bool(true),
    }
}

fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(adapt));
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// Says the same in the words that utoipa has: it knows no `const`, no default that is `null`, and no `true` for a
/// member of any kind.
fn adapt(schema: &mut JsonSchemaValue) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(constant) = schema.remove("const") {
        schema.insert("enum".to_owned(), Value::Array(vec![constant]));
    }
    if let Some(Value::Array(choices)) = schema.get("oneOf") {
        let constants: Option<Vec<Value>> = choices.iter().map(only_constant).collect();
        if let Some(constants) = constants {
            schema.remove("oneOf");
            schema.insert("type".to_owned(), "string".into());
            schema.insert("enum".to_owned(), Value::Array(constants));
        }
    }
    if let Some(Value::Object(members)) = schema.get_mut("properties") {
        for member in members.values_mut().filter(|member| **member == Value::Bool(true)) {
            *member = Value::Object(Map::new());
        }
    }
}

/// The constant, if the schema is one documented constant (an enum's variant) and nothing else.
fn only_constant(choice: &Value) -> Option<Value> {
    match choice.get("const") {
        Some(constant) => Some(constant.clone()),
        None => choice.get("enum")?.as_array().and_then(|values| match values.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }),
    }
}

/// A schema that utoipa cannot hold becomes one that allows everything; a test sees to it that there is none.
pub(super) fn convert(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|_| ObjectBuilder::new().into())
}

/// The schemas of these types and their parts as schemars has them, for a comparison with the document.
#[cfg(test)]
pub(crate) fn generated<T: JsonSchema>(all: &mut Map<String, Value>) {
    all.extend(generate::<T>().1);
}
