//! Laying a config document over the config it inherits from.

use serde_json::{Map, Value};

use super::ConfigId;
use crate::{Finding, Pointer};

/// A document laid over its parent, and what is wrong with its descent.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The result; where the parent is missing or the descent is a circle, the document as it is.
    pub resolved: Value,
    /// `parent_not_found` or `parent_cycle`.
    pub findings: Vec<Finding>,
}

/// Lays a document over the config its `parentConfigId` names.
///
/// Objects merge member by member, `challengeDefinitions` by their `id` (a stage the parent has keeps its place, a
/// new one is appended), everything else replaces what the parent has. The parent's `id` is not inherited.
///
/// `parents` answers with the *resolved* document of the newest version of a config, that is the one this function
/// gave when it was uploaded: what a parent inherited itself is part of it, and stays as it was then. The parents'
/// own parents are looked up only to find circles.
///
/// Fails only when `parents` does.
pub fn resolve<E>(
    document: &Value,
    parents: &mut dyn FnMut(&ConfigId) -> Result<Option<Value>, E>,
) -> Result<Lineage, E> {
    let unchanged = |findings| Lineage { resolved: document.clone(), findings };
    // A parent id of the wrong shape is for the schema to refuse.
    let Some(parent_id) = parent_of(document) else {
        return Ok(unchanged(Vec::new()));
    };
    let at = Pointer::root().member("parentConfigId");

    let Some(parent) = parents(&parent_id)? else {
        let message = format!(
            "There is no config '{parent_id}' to inherit from; whatever it was to contribute is missing from this document"
        );
        return Ok(unchanged(vec![Finding::new(at, "parent_not_found", message)]));
    };
    if let Some(circle) = circle(document, &parent_id, &parent, parents)? {
        let message = format!("A config cannot inherit from itself: {}", circle.join(" -> "));
        return Ok(unchanged(vec![Finding::new(at, "parent_cycle", message)]));
    }
    Ok(Lineage { resolved: lay_over(parent, document), findings: Vec::new() })
}

fn parent_of(document: &Value) -> Option<ConfigId> {
    document.get("parentConfigId")?.as_str()?.parse().ok()
}

/// The ids from the document round to the first that comes twice.
fn circle<E>(
    document: &Value,
    parent_id: &ConfigId,
    parent: &Value,
    parents: &mut dyn FnMut(&ConfigId) -> Result<Option<Value>, E>,
) -> Result<Option<Vec<String>>, E> {
    let mut line: Vec<String> =
        document.get("id").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    let mut id = parent_id.clone();
    let mut ancestor = Some(parent.clone());
    loop {
        let seen = line.iter().any(|earlier| earlier == id.as_str());
        line.push(id.to_string());
        if seen {
            return Ok(Some(line));
        }
        // An ancestor that is not stored may still be the document itself, so its id is looked at first.
        let Some(next) = ancestor.as_ref().and_then(parent_of) else {
            return Ok(None);
        };
        ancestor = parents(&next)?;
        id = next;
    }
}

fn lay_over(mut parent: Value, document: &Value) -> Value {
    if let (Value::Object(under), Value::Object(over)) = (&mut parent, document) {
        // Else a document without an id would be taken for a new version of its parent.
        under.remove("id");
        let stages = match (under.get("challengeDefinitions"), over.get("challengeDefinitions")) {
            (Some(Value::Array(under)), Some(Value::Array(over))) => Some(merge_stages(under, over)),
            _ => None,
        };
        merge_members(under, over);
        if let Some(stages) = stages {
            under.insert("challengeDefinitions".to_owned(), Value::Array(stages));
        }
    }
    parent
}

fn merge_members(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge_members(under, over),
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
    }
}

fn merge_stages(under: &[Value], over: &[Value]) -> Vec<Value> {
    let mut stages = under.to_vec();
    let mut free = vec![true; stages.len()];
    for stage in over {
        // A stage is laid over only once: a second one with the same id is a mistake that must stay visible.
        let id = stage.get("id").filter(|id| id.is_string());
        let place = id.and_then(|id| (0..free.len()).find(|&i| free[i] && stages[i].get("id") == Some(id)));
        match (place.map(|i| (i, &mut stages[i])), stage) {
            (Some((i, Value::Object(under))), Value::Object(over)) => {
                merge_members(under, over);
                free[i] = false;
            }
            _ => stages.push(stage.clone()),
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn among(stored: Value) -> impl FnMut(&ConfigId) -> Result<Option<Value>, Infallible> {
        move |id| Ok(stored.get(id.as_str()).cloned())
    }

    fn resolved(document: &Value, stored: Value) -> Lineage {
        resolve(document, &mut among(stored)).unwrap()
    }

    fn codes(lineage: &Lineage) -> Vec<&str> {
        lineage.findings.iter().map(|finding| &*finding.code).collect()
    }

    #[test]
    fn objects_merge_stages_merge_by_id_and_other_arrays_replace() {
        let base = json!({
            "id": "base-v1", "currency": "EUR", "allowedInstruments": ["A", "B"],
            "challengeDefinitions": [
                { "id": "one", "name": "One", "rules": { "maxDrawdown": 0.1, "profitTarget": 0.08 } },
                { "id": "two", "name": "Two", "rules": {} },
            ],
            "payoutRules": { "stagedPayouts": [1, 2], "escrowPolicy": { "holdPeriodDays": 7 } },
        });
        let document = json!({
            "id": "child-v1", "parentConfigId": "base-v1", "allowedInstruments": ["C"],
            "challengeDefinitions": [
                { "id": "three", "name": "Three", "rules": {} },
                { "id": "one", "rules": { "maxDrawdown": 0.05 } },
            ],
            "payoutRules": { "stagedPayouts": [3], "partialPayoutAllowed": true },
        });
        let lineage = resolved(&document, json!({ "base-v1": base }));
        assert_eq!(lineage.findings, []);
        assert_eq!(
            lineage.resolved,
            json!({
                "id": "child-v1", "parentConfigId": "base-v1", "currency": "EUR", "allowedInstruments": ["C"],
                "challengeDefinitions": [
                    { "id": "one", "name": "One", "rules": { "maxDrawdown": 0.05, "profitTarget": 0.08 } },
                    { "id": "two", "name": "Two", "rules": {} },
                    { "id": "three", "name": "Three", "rules": {} },
                ],
                "payoutRules": {
                    "stagedPayouts": [3], "escrowPolicy": { "holdPeriodDays": 7 }, "partialPayoutAllowed": true
                },
            })
        );
    }

    #[test]
    fn a_stage_given_twice_stays_twice() {
        let base = json!({ "id": "base-v1", "challengeDefinitions": [{ "id": "one", "name": "One" }] });
        let document = json!({
            "id": "child-v1", "parentConfigId": "base-v1",
            "challengeDefinitions": [{ "id": "one", "a": 1 }, { "id": "one", "b": 2 }, 7],
        });
        assert_eq!(
            resolved(&document, json!({ "base-v1": base })).resolved["challengeDefinitions"],
            json!([{ "id": "one", "name": "One", "a": 1 }, { "id": "one", "b": 2 }, 7])
        );
    }

    #[test]
    fn a_document_without_an_id_does_not_take_its_parents() {
        let lineage =
            resolved(&json!({ "parentConfigId": "base-v1" }), json!({ "base-v1": { "id": "base-v1" } }));
        assert_eq!(lineage.resolved, json!({ "parentConfigId": "base-v1" }));
    }

    #[test]
    fn circles_are_found_wherever_they_close() {
        let own_parent = json!({ "id": "a-v1", "parentConfigId": "a-v1" });
        assert_eq!(codes(&resolved(&own_parent, json!({ "a-v1": { "id": "a-v1" } }))), ["parent_cycle"]);

        let a = json!({ "id": "a-v1", "parentConfigId": "b-v1" });
        let stored = json!({ "b-v1": { "id": "b-v1", "parentConfigId": "c-v1" }, "c-v1": { "id": "c-v1", "parentConfigId": "a-v1" } });
        let lineage = resolved(&a, stored.clone());
        assert_eq!(codes(&lineage), ["parent_cycle"]);
        assert!(
            lineage.findings[0].message.ends_with("a-v1 -> b-v1 -> c-v1 -> a-v1"),
            "{:?}",
            lineage.findings
        );
        assert_eq!(lineage.resolved, a);

        let elsewhere = json!({ "id": "d-v1", "parentConfigId": "b-v1" });
        let mut stored = stored;
        stored["a-v1"] = a;
        assert_eq!(codes(&resolved(&elsewhere, stored)), ["parent_cycle"]);
    }

    #[test]
    fn a_missing_parent_is_named_and_a_malformed_one_is_left_to_the_schema() {
        let lineage = resolved(&json!({ "id": "a-v1", "parentConfigId": "b-v1" }), json!({}));
        assert_eq!(codes(&lineage), ["parent_not_found"]);
        assert_eq!(lineage.findings[0].pointer.as_str(), "/parentConfigId");
        assert_eq!(codes(&resolved(&json!({ "id": "a-v1", "parentConfigId": "B?" }), json!({}))), [""; 0]);
        assert_eq!(codes(&resolved(&json!({ "id": "a-v1", "parentConfigId": 7 }), json!({}))), [""; 0]);
    }

    #[test]
    fn a_failing_lookup_fails_the_resolution() {
        let document = json!({ "id": "a-v1", "parentConfigId": "b-v1" });
        assert_eq!(resolve(&document, &mut |_| Err("store is down")), Err("store is down"));
    }

    proptest! {
        #[test]
        fn laying_a_document_over_itself_changes_nothing(a in 0u32..9, b in "[a-z]{1,4}", stages in 0usize..4) {
            let stages: Vec<Value> = (0..stages).map(|i| json!({ "id": format!("s{i}"), "rules": { "x": a } })).collect();
            let document = json!({ "id": "a-v1", "x": { "y": a, "z": [b] }, "challengeDefinitions": stages });
            prop_assert_eq!(lay_over(document.clone(), &document), document);
        }
    }
}
