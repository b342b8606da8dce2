//! Values that may have one of several forms.

use serde_json::{Value, json};

use crate::order::{Order, assert_findings, order, with};

#[test]
fn an_optional_object_is_explained_from_within() {
    let mut parent = order();
    parent["quantity"] = json!(0);
    parent["legs"][0]["venue"] = json!({ "kind": "dark", "pool": "deep", "mic": "X" });
    let document = with("parent", &with("parent", &parent));
    assert_findings::<Order>(
        &document,
        &[
            (
                "/parent/parent/legs/0/venue/mic",
                "unknown_member",
                "'mic' is not a known member of 'venue'; did you mean 'min'?",
            ),
            (
                "/parent/parent/legs/0/venue/pool",
                "wrong_type",
                "'pool' must be a whole number, this is a string",
            ),
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
