//! Which members answers have and requests have not.

use std::collections::BTreeSet;

use serde_json::Value;

/// The members of an operation's successful answers that its request does not have, and those that are tried everywhere.
pub(super) fn only_answered(document: &Value, operation: &Value) -> BTreeSet<String> {
    let mut answered = BTreeSet::from(EVERYWHERE.map(str::to_owned));
    for (status, response) in operation["responses"].as_object().unwrap() {
        if status.starts_with('2') {
            collect(document, &response["content"]["application/json"]["schema"], &mut answered);
        }
    }
    let mut asked = BTreeSet::new();
    collect(document, &operation["requestBody"]["content"]["application/json"]["schema"], &mut asked);
    &answered - &asked
}

/// What somebody would try who wants more than they may have.
const EVERYWHERE: [&str; 6] = ["id", "role", "roles", "balance", "status", "createdBy"];

fn collect(document: &Value, schema: &Value, members: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return collect(document, document.pointer(&reference[1..]).unwrap(), members);
    }
    members.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for parts in ["allOf", "anyOf", "oneOf"] {
        for part in schema[parts].as_array().into_iter().flatten() {
            collect(document, part, members);
        }
    }
}
