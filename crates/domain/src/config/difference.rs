//! What is different between two versions of a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Pointer;

/// What happened to a member or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ConfigChange")]
pub enum Change {
    /// It is new.
    Add,
    /// It is gone.
    Remove,
    /// It has another value.
    Replace,
}

/// One step from one document to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// What happened.
    pub op: Change,
    /// Where: in the document as the steps before this one left it.
    pub pointer: Pointer,
    /// The value before; none if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The value after; none if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// The steps that lead from one document to another; none exactly if they are equal.
///
/// They are those of a JSON Patch (RFC 6902) under other names: done one after the other they turn `from` into `to`.
/// Elements of arrays that have the same `id`, as stages do, are the same element with other content.
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut steps = Vec::new();
    compare(Pointer::root(), from, to, &mut steps);
    steps
}

fn compare(at: Pointer, from: &Value, to: &Value, steps: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_members(&at, from, to, steps),
        (Value::Array(from), Value::Array(to)) => compare_elements(&at, from, to, steps),
        _ if from == to => {}
        _ => steps.push(replaced(at, from, to)),
    }
}

fn compare_members(
    at: &Pointer,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    steps: &mut Vec<Difference>,
) {
    for (name, value) in from {
        match to.get(name) {
            Some(other) => compare(at.member(name), value, other, steps),
            None => steps.push(removed(at.member(name), value)),
        }
    }
    for (name, value) in to.iter().filter(|(name, _)| !from.contains_key(*name)) {
        steps.push(added(at.member(name), value));
    }
}

/// What both begin and end with stays where it is; what is between changed.
fn compare_elements(at: &Pointer, from: &[Value], to: &[Value], steps: &mut Vec<Difference>) {
    let shorter = from.len().min(to.len());
    let head = (0..shorter).take_while(|&i| is_same(&from[i], &to[i])).count();
    let last = |items: &[Value], i: usize| items.len() - 1 - i;
    let tail = (0..shorter - head).take_while(|&i| is_same(&from[last(from, i)], &to[last(to, i)])).count();

    for i in 0..head {
        compare(at.index(i), &from[i], &to[i], steps);
    }
    let (gone, new) = (&from[head..from.len() - tail], &to[head..to.len() - tail]);
    let both = gone.len().min(new.len());
    for i in 0..both {
        let at = at.index(head + i);
        match (id_of(&gone[i]), id_of(&new[i])) {
            (None, None) => compare(at, &gone[i], &new[i], steps),
            _ => steps.push(replaced(at, &gone[i], &new[i])),
        }
    }
    for i in (both..gone.len()).rev() {
        steps.push(removed(at.index(head + i), &gone[i]));
    }
    for (i, value) in new.iter().enumerate().skip(both) {
        steps.push(added(at.index(head + i), value));
    }
    // By now they are where they are going to be.
    for i in (0..tail).rev() {
        compare(at.index(last(to, i)), &from[last(from, i)], &to[last(to, i)], steps);
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (id_of(one), id_of(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn id_of(element: &Value) -> Option<&str> {
    element.get("id")?.as_str()
}

fn added(pointer: Pointer, to: &Value) -> Difference {
    Difference { op: Change::Add, pointer, from: None, to: Some(to.clone()) }
}

fn removed(pointer: Pointer, from: &Value) -> Difference {
    Difference { op: Change::Remove, pointer, from: Some(from.clone()), to: None }
}

fn replaced(pointer: Pointer, from: &Value, to: &Value) -> Difference {
    Difference { op: Change::Replace, pointer, from: Some(from.clone()), to: Some(to.clone()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(from: &Value, to: &Value) -> Value {
        serde_json::to_value(differences(from, to)).unwrap()
    }

    /// Does the steps as RFC 6902 has it.
    fn patched(mut document: Value, steps: &[Difference]) -> Value {
        for step in steps {
            let Some((parent, name)) = step.pointer.as_str().rsplit_once('/') else {
                document = step.to.clone().unwrap();
                continue;
            };
            let name = name.replace("~1", "/").replace("~0", "~");
            match document.pointer_mut(parent).unwrap() {
                Value::Object(members) => match step.op {
                    Change::Remove => assert_eq!(members.remove(&name), step.from),
                    Change::Add => assert_eq!(members.insert(name, step.to.clone().unwrap()), None),
                    Change::Replace => assert_eq!(members.insert(name, step.to.clone().unwrap()), step.from),
                },
                Value::Array(elements) => {
                    let at: usize = name.parse().unwrap();
                    match step.op {
                        Change::Remove => assert_eq!(Some(elements.remove(at)), step.from),
                        Change::Add => elements.insert(at, step.to.clone().unwrap()),
                        Change::Replace => {
                            let old = std::mem::replace(&mut elements[at], step.to.clone().unwrap());
                            assert_eq!(Some(old), step.from);
                        }
                    }
                }
                other => panic!("{} of {other}", step.pointer),
            }
        }
        document
    }

    #[test]
    fn members_and_elements_are_told_with_both_values() {
        let from = json!({ "a": 1, "b": { "c": [1, 2], "x/y": true }, "gone": null });
        let to = json!({ "a": 2, "b": { "c": [1, 2, 3], "x/y": false }, "new": [] });
        assert_eq!(
            told(&from, &to),
            json!([
                { "op": "replace", "pointer": "/a", "from": 1, "to": 2 },
                { "op": "add", "pointer": "/b/c/2", "to": 3 },
                { "op": "replace", "pointer": "/b/x~1y", "from": true, "to": false },
                { "op": "remove", "pointer": "/gone", "from": null },
                { "op": "add", "pointer": "/new", "to": [] },
            ])
        );
    }

    #[test]
    fn a_stage_put_before_the_others_is_one_new_stage() {
        let stage = |id: &str, target: f64| json!({ "id": id, "rules": { "profitTarget": target } });
        let from = json!([stage("one", 0.08), stage("two", 0.05)]);
        let to = json!([stage("zero", 0.1), stage("one", 0.08), stage("two", 0.06)]);
        assert_eq!(
            told(&from, &to),
            json!([
                { "op": "add", "pointer": "/0", "to": stage("zero", 0.1) },
                { "op": "replace", "pointer": "/2/rules/profitTarget", "from": 0.05, "to": 0.06 },
            ])
        );
        let other = json!([stage("three", 0.08), stage("two", 0.05)]);
        assert_eq!(
            told(&from, &other),
            json!([{ "op": "replace", "pointer": "/0", "from": from[0], "to": other[0] }])
        );
    }

    #[test]
    fn the_order_of_members_is_no_difference() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(differences(&parse(r#"{"a":1,"b":2}"#), &parse(r#"{"b":2,"a":1}"#)), []);
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..4u8).prop_map(Value::from), Just(json!("x"))];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let member = prop_oneof!["[ab]", Just("id".to_owned()), Just("~/".to_owned())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(member, inner.clone(), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
                ("[pqr]", inner).prop_map(|(id, rules)| json!({ "id": id, "rules": rules })),
            ]
        })
    }

    proptest! {
        #[test]
        fn done_one_after_the_other_the_steps_lead_from_one_to_the_other(from in document(), to in document()) {
            let steps = differences(&from, &to);
            prop_assert_eq!(steps.is_empty(), from == to);
            prop_assert_eq!(patched(from, &steps), to);
        }
    }
}
