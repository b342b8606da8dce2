use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use super::AccountConfig;

/// The JSON Schema (draft-07) of a config document, generated from [`AccountConfig`]: complete, without references,
/// and saying of every member what its shape must be.
///
/// Where a document inherits, the schema describes the result.
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(refuse_null))
        .with_transform(RecursiveTransform(constants_as_enum));
    // Without references a checker can name the member at fault instead of the definition.
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<AccountConfig>().to_value()
}

/// An optional member may be absent; `null` is not a value of it. (For serde, and so for schemars, it would be.)
fn refuse_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    let null = serde_json::json!({ "type": "null" });
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| *choice != null);
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (name, value) in only {
                // What the member's own documentation says comes before what its type says.
                if schema.get(&name).is_none() {
                    schema.insert(name, value);
                }
            }
        }
    }
}

/// Turns a choice of documented constants into one `enum`, so that a checker can list all of them in one finding.
fn constants_as_enum(schema: &mut Schema) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let constants: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
    if let Some(constants) = constants {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), Value::Array(constants));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_closed_draft_07_without_references_or_nulls() {
        let schema = schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        let text = schema.to_string();
        for absent in ["$ref", "definitions", "null", "oneOf", "anyOf", "const\"", "uint"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
        for pointer in ["", "/properties/challengeDefinitions/items", "/properties/payoutRules"] {
            assert_eq!(schema.pointer(pointer).unwrap()["additionalProperties"], false, "{pointer}");
        }
    }

    #[test]
    fn what_is_required_is_what_the_domain_says() {
        let schema = schema();
        let required = |pointer: &str| schema.pointer(pointer).unwrap()["required"].clone();
        assert_eq!(
            required(""),
            json!(["id", "displayName", "baseCapital", "variant", "challengeDefinitions", "payoutRules"])
        );
        assert_eq!(required("/properties/challengeDefinitions/items"), json!(["id", "name", "rules"]));
        assert_eq!(required("/properties/payoutRules"), json!(["stagedPayouts"]));
        assert_eq!(
            required("/properties/payoutRules/properties/stagedPayouts/items"),
            json!(["milestone", "payoutPercent"])
        );
    }

    #[test]
    fn every_member_has_its_constraints_and_its_description() {
        let schema = schema();
        let rules = "challengeDefinitions/items/properties/rules/properties";
        let orders = json!(["market", "limit", "stop", "stop-limit", "bracket", "oco"]);
        let payout = "payoutRules/properties";
        let stage = "challengeDefinitions/items/properties";
        #[rustfmt::skip]
        let cases = [
            ("id", "pattern", json!("^[a-z0-9-]+$")),
            ("id", "minLength", json!(3)),
            ("id", "maxLength", json!(64)),
            ("displayName", "maxLength", json!(120)),
            ("baseCapital", "minimum", json!(1000)),
            ("baseCapital", "type", json!("number")),
            ("currency", "default", json!("USD")),
            ("currency", "pattern", json!("^[A-Z]{3}$")),
            ("timezone", "default", json!("UTC")),
            ("variant", "enum", json!(["evaluation", "straight-to-funded"])),
            ("variant", "type", json!("string")),
            ("description", "type", json!("string")),
            ("allowedInstruments", "uniqueItems", json!(true)),
            ("allowedInstruments", "type", json!("array")),
            ("challengeDefinitions", "minItems", json!(1)),
            (&format!("{stage}/durationDays"), "minimum", json!(0)),
            (&format!("{stage}/durationDays"), "type", json!("integer")),
            (&format!("{rules}/maxDrawdown"), "minimum", json!(0)),
            (&format!("{rules}/drawdownMode"), "enum", json!(["trailing", "trailing-unlocked", "static"])),
            (&format!("{rules}/drawdownMode"), "default", json!("trailing")),
            (&format!("{rules}/dailyLossAction"), "enum", json!(["breach", "pause"])),
            (&format!("{rules}/leverage"), "exclusiveMinimum", json!(0)),
            (&format!("{rules}/orderTypesAllowed"), "uniqueItems", json!(true)),
            (&format!("{rules}/orderTypesAllowed/items"), "enum", orders),
            (&format!("{rules}/consistencyRule/properties/maxProfitDayPercent"), "maximum", json!(100)),
            (&format!("{payout}/stagedPayouts/items/properties/payoutPercent"), "maximum", json!(100)),
            (&format!("{payout}/partialPayoutAllowed"), "default", json!(false)),
            ("meta/properties/createdAt", "format", json!("date-time")),
        ];
        for (pointer, constraint, expected) in cases {
            let member = schema.pointer(&format!("/properties/{pointer}"));
            let member = member.unwrap_or_else(|| panic!("{pointer} in {schema}"));
            assert_eq!(member[constraint], expected, "{pointer} {constraint}: {member}");
            if !pointer.ends_with("/items") {
                assert!(member["description"].is_string(), "{pointer} has no description: {member}");
            }
        }
    }

    #[test]
    fn meta_and_conditions_are_open() {
        let schema = schema();
        for pointer in [
            "/properties/meta",
            "/properties/payoutRules/properties/stagedPayouts/items/properties/conditions",
            "/properties/payoutRules/properties/escrowPolicy/properties/releaseConditions",
        ] {
            let member = schema.pointer(pointer).unwrap();
            assert_ne!(member["additionalProperties"], false, "{pointer}");
            assert_eq!(member["type"], "object", "{pointer}");
            assert_eq!(member.get("required"), None, "{pointer}");
        }
    }
}
