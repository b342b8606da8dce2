//! What is said of each kind of fault.

use serde_json::json;

use crate::order::{Order, assert_findings, findings, order, with, without};

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
    assert_findings::<Order>(
        &json!([1]),
        &[("", "wrong_type", "The document must be an object, this is an array")],
    );
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
        &[(
            "/tags",
            "duplicate_items",
            "'tags' must not have the same item twice; items 1 and 3 are the same",
        )],
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
        &[(
            "/side",
            "not_allowed",
            "'side' must be one of 'buy', 'sell' or 'sell-short'; did you mean 'buy'?",
        )],
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
        (
            "placedAt",
            "2026-01-31",
            "'placedAt' must be a date and time with an offset, as in 2026-01-31T12:00:00Z",
        ),
        (
            "placedAt",
            "2026-01-31 12:00:00Z",
            "'placedAt' must be a date and time with an offset, as in 2026-01-31T12:00:00Z",
        ),
    ] {
        assert_findings::<Order>(
            &with(member, &json!(value)),
            &[(&format!("/{member}"), "invalid_format", message)],
        );
    }
}

#[test]
fn maps_are_checked_in_their_names_and_values() {
    assert_findings::<Order>(
        &with("limits", &json!({ "A/B~C": { "lots": -5 }, "es": { "lots": 5 } })),
        &[
            ("/limits/A~1B~0C/lots", "too_small", "'lots' must be at least 0, this is -5"),
            (
                "/limits/es",
                "unknown_member",
                "'es' is not a known member of 'limits'; names here must match ^[A-Z/~]{1,8}$",
            ),
        ],
    );
}
