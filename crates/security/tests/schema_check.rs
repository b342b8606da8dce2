//! Findings against schemas as schemars generates them from our types.

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

fn findings<T: JsonSchema>(document: &Value) -> Vec<Finding> {
    ValicoCheck.findings(&SchemaSource { name: std::any::type_name::<T>(), generate: draft07::<T> }, document)
}

/// Pointer, code and message of every finding.
#[track_caller]
fn assert_findings<T: JsonSchema>(document: &Value, expected: &[(&str, &str, &str)]) {
    let found = findings::<T>(document);
    let found: Vec<_> = found.iter().map(|f| (f.pointer.as_str(), &*f.code, f.message.as_str())).collect();
    assert_eq!(found, expected);
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Order {
    #[schemars(length(min = 3, max = 8), regex(pattern = r"^[a-z0-9-]+$"))]
    slug: String,
    #[schemars(email)]
    email: Option<String>,
    #[schemars(range(min = 1, max = 100))]
    quantity: u32,
    #[schemars(range(exclusive_min = 0.0, exclusive_max = 1.0))]
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

fn order() -> Value {
    json!({
        "slug": "acme-1", "quantity": 1, "side": "buy",
        "legs": [{ "venue": { "kind": "exchange", "mic": "XCME" } }]
    })
}

/// The valid order with `member` set to `value`.
fn with(member: &str, value: &Value) -> Value {
    let mut order = order();
    order[member] = value.clone();
    order
}

fn without(member: &str) -> Value {
    let mut order = order();
    order.as_object_mut().unwrap().remove(member);
    order
}

#[test]
fn valid_documents_have_no_findings() {
    assert_findings::<Order>(&order(), &[]);
    let full = json!({
        "slug": "acme-1", "email": "a@example.com", "quantity": 100, "fraction": 0.5, "side": "sell-short",
        "routing": "smart", "tags": ["a", "b"], "limits": { "ES/NQ": { "lots": 10 } }, "parent": order(),
        "legs": [{ "price": { "cents": 0, "currency": "USD" }, "venue": { "kind": "dark", "pool": 1, "min": null } }],
        "schedule": { "every": { "seconds": 5 } }, "trigger": { "low": 1, "high": 2.5 },
        "placedAt": "2026-01-31T12:00:00.5+01:00", "pair": [1, "x"], "urgent": null
    });
    assert_findings::<Order>(&full, &[]);
    assert_findings::<Order>(&with("schedule", &json!("never")), &[]);
    assert_findings::<Order>(&with("trigger", &json!(5)), &[]);
}

#[test]
fn missing_members_are_named_where_they_are_missing() {
    assert_findings::<Order>(&without("slug"), &[("/slug", "required", "'slug' is required")]);
    let leg = json!([{ "price": { "cents": 1 }, "venue": { "kind": "exchange", "mic": "X" } }]);
    assert_findings::<Order>(
        &with("legs", &leg),
        &[("/legs/0/price/currency", "required", "'currency' is required")],
    );
}

#[test]
fn unknown_members_are_named_with_the_one_that_was_meant() {
    let cases = [
        ("qunatity", "; did you mean 'quantity'?"),
        ("e_mail", "; did you mean 'email'?"),
        ("placed_at", "; did you mean 'placedAt'?"),
        ("colour", ""),
    ];
    for (name, hint) in cases {
        let document = if name == "qunatity" { without("quantity") } else { order() };
        let mut document = document;
        document[name] = json!(1);
        let found = findings::<Order>(&document);
        let unknown = found.iter().find(|finding| finding.code == "unknown_member").unwrap();
        assert_eq!(unknown.pointer.as_str(), format!("/{name}"));
        assert_eq!(unknown.message, format!("'{name}' is not a known member of the document{hint}"));
    }
    assert_findings::<Order>(
        &with("limits", &json!({ "ES": { "lots": 5, "x/y~z": 1 } })),
        &[(
            "/limits/ES/x~1y~0z",
            "unknown_member",
            "'x/y~z' is not a known member of 'ES'; it may have 'lots'",
        )],
    );
}

#[test]
fn wrong_types_say_what_is_expected_and_what_is_there() {
    for (member, value, message) in [
        ("slug", json!(5), "'slug' must be a string, this is a whole number"),
        ("quantity", json!("5"), "'quantity' must be a whole number, this is a string"),
        ("quantity", json!(1.5), "'quantity' must be a whole number, this is a number with a fraction"),
        ("quantity", json!(null), "'quantity' must be a whole number, this is null"),
        ("fraction", json!([]), "'fraction' must be a number or null, this is an array"),
        ("urgent", json!("yes"), "'urgent' must be true or false or null, this is a string"),
        ("side", json!(true), "'side' must be a string, this is true"),
        ("routing", json!(1), "'routing' must be a string or null, this is a whole number"),
        ("legs", json!({}), "'legs' must be an array, this is an object"),
        ("parent", json!("x"), "'parent' must be an object or null, this is a string"),
        ("schedule", json!(7), "'schedule' must be an object, a string or null, this is a whole number"),
        ("trigger", json!("x"), "'trigger' must be a number, an object or null, this is a string"),
    ] {
        assert_findings::<Order>(&with(member, &value), &[(&format!("/{member}"), "wrong_type", message)]);
    }
    assert_findings::<Order>(&json!([1]), &[("", "wrong_type", "The document must be an object, this is an array")]);
}

#[test]
fn lengths_say_the_limit_and_count_characters() {
    assert_findings::<Order>(
        &with("slug", &json!("ab")),
        &[("/slug", "too_short", "'slug' must have at least 3 characters, this has 2")],
    );
    assert_findings::<Order>(
        &with("slug", &json!("abcdefghi")),
        &[("/slug", "too_long", "'slug' must have at most 8 characters, this has 9")],
    );
    assert_findings::<Order>(
        &with("slug", &json!("é")),
        &[
            ("/slug", "pattern_mismatch", "'slug' must match the pattern ^[a-z0-9-]+$"),
            ("/slug", "too_short", "'slug' must have at least 3 characters, this has 1"),
        ],
    );
}

#[test]
fn numbers_say_the_limit_and_the_value() {
    for (member, value, code, message) in [
        ("quantity", json!(0), "too_small", "'quantity' must be at least 1, this is 0"),
        ("quantity", json!(-7), "too_small", "'quantity' must be at least 1, this is -7"),
        ("quantity", json!(101), "too_large", "'quantity' must be at most 100, this is 101"),
        ("fraction", json!(0), "too_small", "'fraction' must be more than 0.0, this is 0"),
        ("fraction", json!(1.0), "too_large", "'fraction' must be less than 1.0, this is 1.0"),
        ("fraction", json!(1e300), "too_large", "'fraction' must be less than 1.0, this is 1e+300"),
    ] {
        assert_findings::<Order>(&with(member, &value), &[(&format!("/{member}"), code, message)]);
    }
    assert_findings::<Order>(
        &with("limits", &json!({ "ES": { "lots": 7 } })),
        &[("/limits/ES/lots", "invalid", "'lots' must be a multiple of 5")],
    );
}

#[test]
fn lists_say_how_many_items_they_may_have_and_which_are_the_same() {
    assert_findings::<Order>(
        &with("legs", &json!([])),
        &[("/legs", "too_few_items", "'legs' must have at least 1 item, this has 0")],
    );
    let leg = &order()["legs"][0];
    assert_findings::<Order>(
        &with("legs", &json!([leg, leg, leg, leg])),
        &[("/legs", "too_many_items", "'legs' must have at most 3 items, this has 4")],
    );
    assert_findings::<Order>(
        &with("tags", &json!(["a", "b", "c", "b", "a"])),
        &[("/tags", "duplicate_items", "'tags' must not have the same item twice; items 1 and 3 are the same")],
    );
    assert_findings::<Order>(
        &with("tags", &json!(["a", 2])),
        &[("/tags/1", "wrong_type", "'tags[1]' must be a string, this is a whole number")],
    );
    assert_findings::<Order>(
        &with("pair", &json!([1, 2])),
        &[("/pair/1", "wrong_type", "'pair[1]' must be a string, this is a whole number")],
    );
    assert_findings::<Order>(
        &with("pair", &json!([1, "x", 3])),
        &[("/pair", "too_many_items", "'pair' must have at most 2 items, this has 3")],
    );
}

#[test]
fn choices_are_listed() {
    assert_findings::<Order>(
        &with("side", &json!("by")),
        &[("/side", "not_allowed", "'side' must be one of 'buy', 'sell' or 'sell-short'; did you mean 'buy'?")],
    );
    assert_findings::<Order>(
        &with("routing", &json!("fastest")),
        &[("/routing", "not_allowed", "'routing' must be one of 'smart' or 'direct'")],
    );
}

#[test]
fn formats_are_checked() {
    for (member, value, message) in [
        ("email", "nobody", "'email' must be an email address"),
        ("placedAt", "2026-01-31", "'placedAt' must be a date and time with an offset, as in 2026-01-31T12:00:00Z"),
        (
            "placedAt",
            "2026-01-31 12:00:00Z",
            "'placedAt' must be a date and time with an offset, as in 2026-01-31T12:00:00Z",
        ),
    ] {
        assert_findings::<Order>(&with(member, &json!(value)), &[(&format!("/{member}"), "invalid_format", message)]);
    }
}

#[test]
fn maps_are_checked_in_their_names_and_values() {
    assert_findings::<Order>(
        &with("limits", &json!({ "A/B~C": { "lots": -5 }, "es": { "lots": 5 } })),
        &[
            ("/limits/A~1B~0C/lots", "too_small", "'lots' must be at least 0, this is -5"),
            ("/limits/es", "unknown_member", "'es' is not a known member of 'limits'; names here must match ^[A-Z/~]{1,8}$"),
        ],
    );
}

#[test]
fn an_optional_object_is_explained_from_within() {
    let mut parent = order();
    parent["quantity"] = json!(0);
    parent["legs"][0]["venue"] = json!({ "kind": "dark", "pool": "deep", "mic": "X" });
    let document = with("parent", &with("parent", &parent));
    assert_findings::<Order>(
        &document,
        &[
            ("/parent/parent/legs/0/venue/mic", "unknown_member", "'mic' is not a known member of 'venue'; did you mean 'min'?"),
            ("/parent/parent/legs/0/venue/pool", "wrong_type", "'pool' must be a whole number, this is a string"),
            ("/parent/parent/quantity", "too_small", "'quantity' must be at least 1, this is 0"),
        ],
    );
}

#[test]
fn a_tagged_choice_is_explained_by_its_tag() {
    let venue = |venue: Value| with("legs", &json!([{ "venue": venue }]));
    assert_findings::<Order>(
        &venue(json!({ "kind": "exchange" })),
        &[("/legs/0/venue/mic", "required", "'mic' is required")],
    );
    assert_findings::<Order>(
        &venue(json!({ "kind": "drak", "pool": 1 })),
        &[(
            "/legs/0/venue/kind",
            "not_allowed",
            "'kind' must be one of 'exchange' or 'dark'; did you mean 'dark'?",
        )],
    );
    assert_findings::<Order>(
        &venue(json!({ "mic": "X" })),
        &[("/legs/0/venue/kind", "required", "'kind' is required")],
    );
    assert_findings::<Order>(
        &venue(json!({ "kind": 1 })),
        &[("/legs/0/venue/kind", "wrong_type", "'kind' must be a string, this is a whole number")],
    );
}

#[test]
fn a_choice_by_member_is_explained_by_that_member() {
    assert_findings::<Order>(
        &with("schedule", &json!({ "every": { "seconds": -1 } })),
        &[("/schedule/every/seconds", "too_small", "'seconds' must be at least 0, this is -1")],
    );
    assert_findings::<Order>(
        &with("schedule", &json!({ "evry": {} })),
        &[("/schedule", "invalid", "'schedule' must have one of the members 'every' or 'at'")],
    );
    assert_findings::<Order>(
        &with("schedule", &json!("always")),
        &[("/schedule", "not_allowed", "'schedule' must be 'never'")],
    );
}

#[test]
fn an_untagged_choice_is_explained_by_the_form_of_the_values_type() {
    assert_findings::<Order>(
        &with("trigger", &json!({ "low": 1 })),
        &[("/trigger/high", "required", "'high' is required")],
    );
}

#[test]
fn all_faults_are_told_at_once_in_order() {
    let document = json!({
        "slug": "NO", "email": "x", "quantity": 1_000, "side": "hold", "urgent": "now", "colour": "red",
        "legs": [
            { "venue": { "kind": "exchange", "mic": 5 } },
            { "price": { "cents": -1, "currency": "USD", "more": 1 }, "venue": { "kind": "dark" } },
        ],
        "tags": ["a", "a"]
    });
    let found = findings::<Order>(&document);
    let found: Vec<_> = found.iter().map(|f| (f.pointer.as_str(), &*f.code)).collect();
    assert_eq!(
        found,
        [
            ("/colour", "unknown_member"),
            ("/email", "invalid_format"),
            ("/legs/0/venue/mic", "wrong_type"),
            ("/legs/1/price/cents", "too_small"),
            ("/legs/1/price/more", "unknown_member"),
            ("/legs/1/venue/pool", "required"),
            ("/quantity", "too_large"),
            ("/side", "not_allowed"),
            ("/slug", "pattern_mismatch"),
            ("/slug", "too_short"),
            ("/tags", "duplicate_items"),
            ("/urgent", "wrong_type"),
        ]
    );
}

#[test]
fn deep_documents_are_refused_and_do_not_overflow_the_stack() {
    let mut document = order();
    for _ in 0..100 {
        document = with("parent", &document);
    }
    assert_findings::<Order>(&document, &[]);
    let mut array = json!([]);
    for _ in 0..1_000 {
        array = Value::Array(vec![array]);
    }
    let expected = ("", "invalid", "The document is nested more than 128 levels deep");
    assert_findings::<Order>(&with("tags", &array), &[expected]);
}

#[test]
fn the_deepest_fault_is_found() {
    let mut document = without("side");
    for _ in 0..100 {
        document = with("parent", &document);
    }
    let pointer = format!("{}/side", "/parent".repeat(100));
    assert_findings::<Order>(&document, &[(&pointer, "required", "'side' is required")]);
}

#[test]
fn long_lists_of_distinct_items_are_checked_in_time() {
    let many: Vec<_> = (0..100_000).map(|i| i.to_string()).collect();
    assert_findings::<Order>(&with("tags", &json!(many)), &[]);
}

#[test]
fn an_unusable_schema_accepts_nothing() {
    for (name, generate, message) in [
        (
            "dangling",
            (|| json!({ "properties": { "a": { "$ref": "#/definitions/none" } } })) as fn() -> Value,
            "The document cannot be checked: its schema refers to something it lacks",
        ),
        (
            "broken",
            || json!({ "minimum": "low" }),
            "The schema broken cannot be used: malformed path: ``, details: The `minimum` value must be a number",
        ),
    ] {
        let found = ValicoCheck.findings(&SchemaSource { name, generate }, &json!({ "a": 1 }));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].pointer.as_str(), &*found[0].code, &*found[0].message), ("", "invalid", message));
    }
}

#[test]
fn every_thread_compiles_its_own() {
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| findings::<Order>(&without("slug")))).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().len(), 1);
    }
}
