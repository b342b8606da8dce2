//! A document type with everything that our own have, and what the tests do with it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use tenantry_domain::Finding;
use tenantry_ports::{SchemaCheck as _, SchemaSource};
use tenantry_security::ValicoCheck;

fn draft07<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

pub(crate) fn findings<T: JsonSchema>(document: &Value) -> Vec<Finding> {
    ValicoCheck.findings(&SchemaSource { name: std::any::type_name::<T>(), generate: draft07::<T> }, document)
}

/// Pointer, code and message of every finding.
#[track_caller]
pub(crate) fn assert_findings<T: JsonSchema>(document: &Value, expected: &[(&str, &str, &str)]) {
    let found = findings::<T>(document);
    let found: Vec<_> = found.iter().map(|f| (f.pointer.as_str(), &*f.code, f.message.as_str())).collect();
    assert_eq!(found, expected);
}
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Order {
    #[schemars(length(min = 3, max = 8), regex(pattern = r"^[a-z0-9-]+$"))]
    slug: String,
    #[schemars(email)]
    email: Option<String>,
    #[schemars(range(min = 1, max = 100))]
    quantity: u32,
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    fraction: Option<f64>,
    side: Side,
    routing: Option<Routing>,
    #[schemars(length(min = 1, max = 3))]
    legs: Vec<Leg>,
    tags: Option<BTreeSet<String>>,
    limits: Option<BTreeMap<Symbol, Limit>>,
    parent: Option<Box<Order>>,
    schedule: Option<Schedule>,
    trigger: Option<Trigger>,
    #[schemars(extend("format" = "date-time"))]
    placed_at: Option<String>,
    pair: Option<(u8, String)>,
    urgent: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Side {
    Buy,
    Sell,
    SellShort,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Routing {
    /// Documented variants become one `const` each.
    Smart,
    /// As here.
    Direct,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Leg {
    /// A description beside a reference.
    price: Option<Price>,
    venue: Venue,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Price {
    #[schemars(range(min = 0))]
    cents: i64,
    currency: String,
}

#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
enum Venue {
    Exchange { mic: String },
    Dark { pool: u32, min: Option<u32> },
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Schedule {
    Never,
    Every { seconds: u32 },
    At { hour: u8 },
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Trigger {
    Level(f64),
    Band { low: f64, high: f64 },
}

struct Symbol;

impl JsonSchema for Symbol {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Symbol".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z/~]{1,8}$" })
    }
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Limit {
    #[schemars(extend("multipleOf" = 5))]
    lots: u32,
}

pub(crate) fn order() -> Value {
    json!({
        "slug": "acme-1", "quantity": 1, "side": "buy",
        "legs": [{ "venue": { "kind": "exchange", "mic": "XCME" } }]
    })
}

/// The valid order with `member` set to `value`.
pub(crate) fn with(member: &str, value: &Value) -> Value {
    let mut order = order();
    order[member] = value.clone();
    order
}

pub(crate) fn without(member: &str) -> Value {
    let mut order = order();
    order.as_object_mut().expect("an order is an object").remove(member);
    order
}
