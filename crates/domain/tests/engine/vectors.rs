//! The published vectors and the examples of `docs/rules.md` hold, for this engine and for the naive one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tenantry_domain::Amount;
use tenantry_domain::account::engine::{AccountEvent, Replay, Replayed, Rulebook};
use tenantry_domain::account::{AccountState, rule_statuses};
use tenantry_domain::config::{AccountConfig, ConfigId, inspect};

use super::naive::Naive;
use super::twins::{expected, seen, typed};

/// A history with what it must lead to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vector {
    name: String,
    about: String,
    config: Value,
    provisioned_at: DateTime<Utc>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Step {
    event: AccountEvent,
    /// The config from here on, of a migration.
    config: Option<Value>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    emitted: Vec<Told>,
    /// Members of the state afterwards.
    state: Option<Box<RawValue>>,
    /// Members of the statuses of rules afterwards.
    rules: Option<BTreeMap<String, Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Told {
    event_type: String,
    data: Option<Box<RawValue>>,
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Whether the actual document has everything that is expected of it, numbers compared exactly.
fn has(actual: &RawValue, expected: &RawValue) -> bool {
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(expected.get()) {
        let found: BTreeMap<String, Box<RawValue>> = serde_json::from_str(actual.get()).unwrap_or_default();
        return members.iter().all(|(name, member)| found.get(name).is_some_and(|found| has(found, member)));
    }
    if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(expected.get()) {
        let found: Vec<Box<RawValue>> = serde_json::from_str(actual.get()).unwrap_or_default();
        return items.len() == found.len() && items.iter().zip(&found).all(|(item, found)| has(found, item));
    }
    let number = |raw: &RawValue| raw.get().parse::<Amount>().ok();
    if number(expected).is_some() {
        return number(expected) == number(actual);
    }
    serde_json::from_str::<Value>(expected.get()).ok() == serde_json::from_str(actual.get()).ok()
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

fn assert_has(actual: &impl serde::Serialize, expected: &RawValue, place: &str) {
    let actual = raw(actual);
    assert!(has(&actual, expected), "{place}: expected\n{}\nin\n{}", expected.get(), actual.get());
}

/// A config that nothing is wrong with.
fn sound(document: &Value, place: &str) -> AccountConfig {
    let mut parents = |_: &ConfigId| Ok::<_, std::convert::Infallible>(None);
    let inspection = inspect(document, &|_| Vec::new(), &mut parents, None).unwrap();
    assert_eq!(inspection.errors, [], "{place}");
    typed(document)
}

fn run(vector: &Vector) {
    assert!(!vector.about.is_empty());
    let mut config = sound(&vector.config, &vector.name);
    let mut rules = Rulebook::of(&config);
    let mut replay = Replay::new(AccountState::provisioned(&config, vector.provisioned_at));
    let mut naive = Naive::new(&vector.config, vector.provisioned_at);
    for (index, step) in vector.steps.iter().enumerate() {
        let place = format!("{}, step {index}", vector.name);
        if let Some(migrated) = &step.config {
            config = sound(migrated, &place);
            rules = Rulebook::of(&config);
        }
        let refused = naive.step(&step.event, step.config.as_ref().unwrap_or(&Value::Null));
        let (refusal, emitted) = match replay.step(&rules, &step.event) {
            Replayed::Duplicate => (Some("duplicate"), Vec::new()),
            Replayed::Done(outcome) => (outcome.refusal.map(|refusal| refusal.code()), outcome.emitted),
        };
        assert_eq!(refusal, step.refusal.as_deref(), "{place}");
        assert_eq!(refusal, refused.as_deref(), "{place}");
        let told: Vec<_> = emitted.iter().map(|emission| emission.event_type().to_string()).collect();
        let wanted: Vec<_> = step.emitted.iter().map(|told| told.event_type.clone()).collect();
        assert_eq!(told, wanted, "{place}");
        for (emission, told) in emitted.iter().zip(&step.emitted) {
            if let Some(data) = &told.data {
                // Through text, as it is sent: the data is a value whose numbers are not exact ones.
                assert_has(&emission.data(), data, &place);
            }
        }
        assert_eq!(seen(replay.state()), expected(&naive), "{place}");
        if let Some(state) = &step.state {
            assert_has(replay.state(), state, &place);
        }
        let statuses = rule_statuses(&config, replay.state());
        for (rule, wanted) in step.rules.iter().flatten() {
            let status = statuses.iter().find(|status| status.rule.as_str() == rule).unwrap();
            assert_has(status, wanted, &place);
        }
    }
}

#[test]
fn the_published_vectors_hold() {
    let mut number = 0;
    for entry in fs::read_dir(docs().join("vectors")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            let vector: Vector =
                serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{path:?}: {fault}"));
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), vector.name);
            assert!(vector.steps.iter().all(|step| step.state.is_some()), "{path:?} says every state");
            run(&vector);
            number += 1;
        }
    }
    assert!(number >= 15, "{number} vectors");
}

#[test]
fn the_examples_of_the_rules_hold() {
    let text = fs::read_to_string(docs().join("rules.md")).unwrap();
    let examples: Vec<Vector> = text
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .map(|json| serde_json::from_str(json).unwrap_or_else(|fault| panic!("{fault}: {json}")))
        .collect();
    for example in &examples {
        run(example);
    }
    for rule in tenantry_domain::account::Rule::ALL {
        assert!(text.contains(&format!("`{}`", rule.as_str())), "{rule:?}");
    }
    assert!(examples.len() >= 10, "{} examples", examples.len());
}

#[test]
fn a_comparison_finds_what_differs() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let actual = raw(r#"{"a":1.10,"b":[{"c":null,"d":2}],"e":"x"}"#);
    for (wanted, holds) in [
        (r#"{"a":1.1}"#, true),
        (r#"{"a":1.1000000000000000000000001}"#, false),
        (r#"{"b":[{"d":2}],"e":"x"}"#, true),
        (r#"{"b":[{"c":0}]}"#, false),
        (r#"{"b":[]}"#, false),
        (r#"{"f":null}"#, false),
        (r#"{"e":"y"}"#, false),
    ] {
        assert_eq!(has(&actual, &raw(wanted)), holds, "{wanted}");
    }
}
