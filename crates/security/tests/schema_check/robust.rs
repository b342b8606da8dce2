//! Many faults, deep and long documents, any documents, and schemas that are wrong themselves.

use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry_ports::{SchemaCheck as _, SchemaSource};
use tenantry_security::ValicoCheck;

use crate::order::{Order, assert_findings, findings, order, with, without};

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
        ("broken", || json!({ "minimum": "low" }), "The schema broken cannot be used: "),
    ] {
        let found = ValicoCheck.findings(&SchemaSource { name, generate }, &json!({ "a": 1 }));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].pointer.as_str(), &*found[0].code), ("", "invalid"));
        assert!(found[0].message.starts_with(message), "{found:?}");
    }
}

#[test]
fn every_thread_compiles_its_own() {
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(|| findings::<Order>(&without("slug")))).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().len(), 1);
    }
}

/// Any JSON, often with names and values that the schema knows.
fn any_json() -> impl Strategy<Value = Value> {
    const KNOWN: &[&str] = &[
        "kind", "dark", "legs", "venue", "price", "cents", "every", "parent", "limits", "A/B", "low", "~",
        "/",
    ];
    let text = prop_oneof![proptest::sample::select(KNOWN).prop_map(str::to_owned), "\\PC{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let members = proptest::collection::btree_map(text.clone(), inner.clone(), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A member that is to be replaced by any JSON.
fn any_member() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "slug", "email", "quantity", "side", "routing", "legs", "tags", "limits", "parent", "schedule",
        "trigger", "placedAt", "pair",
    ])
}

proptest! {
    /// Whatever is put into a member: nothing panics, findings are about that member alone, sorted, and lead to a
    /// place of the document or, if something is missing, to the object that lacks it.
    #[test]
    fn findings_lead_to_the_fault(member in any_member(), value in any_json()) {
        let document = with(member, &value);
        let found = findings::<Order>(&document);
        prop_assert!(found.is_sorted());
        for finding in &found {
            let pointer = finding.pointer.as_str();
            let path = format!("/{member}");
            prop_assert!(pointer == path || pointer.starts_with(&format!("{path}/")), "{}", finding);
            let (parent, _) = pointer.rsplit_once('/').unwrap();
            match &*finding.code {
                "required" => prop_assert!(document.pointer(pointer).is_none(), "{}", finding),
                _ => prop_assert!(document.pointer(pointer).is_some(), "{}", finding),
            }
            prop_assert!(document.pointer(parent).is_some(), "{}", finding);
        }
    }
}
