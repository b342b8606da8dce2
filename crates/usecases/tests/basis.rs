//! Basis and processes: one transaction, versions and events for what is different, and the way back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use chrono::TimeDelta;
use serde_json::{Value, json};
use support::active;
use tenantry_domain::Verbatim;
use tenantry_domain::basis::{Process, ProcessConfig};
use tenantry_ports::{StoreError, TenantScope};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::basis::{self, Author, BasisWish, ConfigError, Entry, Upsert, Upserted};

fn author() -> Author {
    Author { actor: "usr_1".to_owned(), trace: "request-1".to_owned() }
}

fn wish(org_structure: Option<&str>, process: Option<Process>) -> Upsert {
    let basis = org_structure
        .map(|text| BasisWish { org_structure: Some(sample::verbatim(text)), business_variants: None });
    Upsert { basis, process, author: author() }
}

fn upsert(test: &TestPlatform, scope: &TenantScope, wish: Upsert) -> Upserted {
    test.clock.advance(TimeDelta::seconds(1));
    basis::upsert(&test.platform, scope, wish, |_| true).unwrap()
}

fn replace(
    test: &TestPlatform,
    scope: &TenantScope,
    process: &ProcessConfig,
    content: Process,
) -> Result<ProcessConfig, ConfigError> {
    test.clock.advance(TimeDelta::seconds(1));
    basis::replace(&test.platform, scope, process.id, content, author(), |tag| {
        tag == process.version.to_string()
    })
}

/// The configuration events of the tenant's log: type, and data.
fn events(test: &TestPlatform, scope: &TenantScope) -> Vec<(String, Value)> {
    let store = test.platform.stores.open(scope).unwrap();
    let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap();
    let events = log.into_iter().map(|entry| (entry.event.event_type.to_string(), entry.event.data));
    events
        .filter(|(kind, _)| kind.starts_with("config.basis.") || kind.starts_with("config.process."))
        .collect()
}

fn said(entries: &[Entry]) -> Vec<(i64, Option<&str>, Option<&str>)> {
    entries
        .iter()
        .map(|entry| {
            let text = Verbatim::as_str;
            let before = entry.before.as_ref().map(text);
            (entry.record.version, before, entry.record.document.as_ref().map(text))
        })
        .collect()
}

#[test]
fn basis_and_process_are_configured_together_and_leave_an_event_each() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let process = sample::process("TENDER", "Standard");
    let first = upsert(&test, &scope, wish(Some(r#"{"levels":2}"#), Some(process.clone())));
    let (basis, stored) = (first.basis.unwrap(), first.process.unwrap());
    assert_eq!((basis.version, stored.version), (1, 1));
    assert_eq!(basis.content.business_variants, []);
    assert_eq!(basis::basis(&test.platform, &scope).unwrap(), Some(basis.clone()));
    assert_eq!(basis::process(&test.platform, &scope, stored.id).unwrap(), Some(stored.clone()));
    let events = events(&test, &scope);
    let expected = [
        (
            "config.basis.updated",
            json!({
                "configId": basis.id, "version": 1, "changedBy": "usr_1", "before": null,
                "after": { "orgStructure": { "levels": 2 }, "businessVariants": [] }
            }),
        ),
        (
            "config.process.created",
            json!({ "configId": stored.id, "version": 1, "changedBy": "usr_1", "before": null, "after": process }),
        ),
    ];
    assert_eq!(events, expected.map(|(kind, data)| (kind.to_owned(), data)));
}

#[test]
fn what_says_the_same_changes_nothing_and_what_is_absent_stays() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let process = sample::process("TENDER", "Standard");
    let mut both = wish(Some(r#"{"b":1.10,"a":2}"#), Some(process));
    both.basis.as_mut().unwrap().business_variants = Some(sample::basis().business_variants);
    let first = upsert(&test, &scope, both.clone());
    assert_eq!(upsert(&test, &scope, both.clone()), first);
    let without_variants = wish(Some(r#"{ "b": 1.10, "a": 2 }"#), None);
    assert_eq!(upsert(&test, &scope, without_variants).basis, first.basis);
    assert_eq!(events(&test, &scope).len(), 2);
    // Other digits are another structure.
    let changed = upsert(&test, &scope, wish(Some(r#"{"b":1.1,"a":2}"#), None)).basis.unwrap();
    assert_eq!((changed.version, changed.created_at), (2, first.basis.as_ref().unwrap().created_at));
    assert!(changed.updated_at > changed.created_at);
    assert_eq!(changed.content.business_variants, sample::basis().business_variants);
}

#[test]
fn what_contradicts_itself_is_told_at_once_and_nothing_is_kept() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let mut process = sample::process("TENDER", "Standard");
    process.steps[1].step_name = process.steps[0].step_name.clone();
    let mut wrong = wish(Some("{}"), Some(process));
    let variant = sample::basis().business_variants[0].clone();
    wrong.basis.as_mut().unwrap().business_variants = Some(vec![variant.clone(), variant]);
    let told = |wish| match basis::upsert(&test.platform, &scope, wish, |_| true) {
        Err(ConfigError::Invalid(findings)) => {
            findings.iter().map(|finding| finding.pointer.to_string()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(told(wrong), ["/tenantConfig/businessVariants/1/code", "/processConfig/steps/1/stepName"]);
    assert_eq!(told(wish(None, None)), ["/tenantConfig", "/processConfig"]);
    assert_eq!(basis::basis(&test.platform, &scope).unwrap(), None);
    let stale = basis::upsert(&test.platform, &scope, wish(Some("{}"), None), |tag| tag == "1");
    assert!(matches!(stale, Err(ConfigError::Stale { version: 0 })), "{stale:?}");
    assert!(events(&test, &scope).is_empty());
}

#[test]
fn a_process_cannot_take_the_name_of_another_and_is_changed_by_who_saw_it() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let one = upsert(&test, &scope, wish(None, Some(sample::process("TENDER", "one")))).process.unwrap();
    let two = upsert(&test, &scope, wish(None, Some(sample::process("TENDER", "two")))).process.unwrap();
    let taken = replace(&test, &scope, &two, sample::process("TENDER", "one"));
    assert!(matches!(taken, Err(ConfigError::NameTaken { .. })), "{taken:?}");
    let renamed = replace(&test, &scope, &two, sample::process("AUCTION", "one")).unwrap();
    assert_eq!(renamed.version, 2);
    let stale = replace(&test, &scope, &two, sample::process("AUCTION", "three"));
    assert!(matches!(stale, Err(ConfigError::Stale { version: 2 })), "{stale:?}");
    let listed = |kind: Option<&str>| {
        let kind = kind.map(sample::label);
        let found = basis::processes(&test.platform, &scope, kind.as_ref(), None, 10).unwrap();
        found.into_iter().map(|process| process.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), [two.id, one.id]);
    assert_eq!(listed(Some("TENDER")), [one.id]);
}

#[test]
fn an_old_basis_is_restored_as_a_change_of_its_own() {
    let test = TestPlatform::new();
    let scope = active(&test);
    for text in [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#] {
        upsert(&test, &scope, wish(Some(text), None));
    }
    let restore = |version| basis::restore_basis(&test.platform, &scope, version, author(), |_| true);
    let restored = restore(1).unwrap();
    assert_eq!((restored.version, restored.content.org_structure.as_str()), (4, r#"{"n":1}"#));
    assert_eq!(restore(1).unwrap(), restored, "it says so already");
    for missing in [0, 5, -1] {
        assert!(matches!(restore(missing), Err(ConfigError::NoSuchVersion(version)) if version == missing));
    }
    let (_, last) = events(&test, &scope).pop().unwrap();
    assert_eq!(
        (&last["restoredFrom"], &last["version"], &last["before"]["orgStructure"]["n"]),
        (&json!(1), &json!(4), &json!(3))
    );
    let page = |before, limit| basis::of_basis(&test.platform, &scope, before, limit).unwrap();
    let document = |n| format!(r#"{{"orgStructure":{{"n":{n}}},"businessVariants":[]}}"#);
    let [one, two, three] = [document(1), document(2), document(3)];
    let (one, two, three) = (Some(one.as_str()), Some(two.as_str()), Some(three.as_str()));
    assert_eq!(said(&page(None, 10)), [(4, three, one), (3, two, three), (2, one, two), (1, None, one)]);
    assert_eq!(said(&page(None, 2)), [(4, three, one), (3, two, three)]);
    assert_eq!(said(&page(Some(3), 2)), [(2, one, two), (1, None, one)]);
}

#[test]
fn a_process_that_was_removed_is_restored_under_its_id() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let first = upsert(&test, &scope, wish(None, Some(sample::process("TENDER", "one")))).process.unwrap();
    let remove = |version: &str| {
        test.clock.advance(TimeDelta::seconds(1));
        basis::remove(&test.platform, &scope, first.id, author(), |tag| tag == version)
    };
    assert!(matches!(remove("2"), Err(ConfigError::Stale { version: 1 })));
    remove("1").unwrap();
    assert!(matches!(remove("1"), Err(ConfigError::NoSuchProcess)));
    let history = basis::of_process(&test.platform, &scope, first.id, None, 10).unwrap().unwrap();
    assert_eq!(history.iter().map(|entry| entry.record.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        (history[0].record.document.as_ref(), &history[0].before),
        (None, &history[1].record.document)
    );
    assert_eq!(basis::of_process(&test.platform, &scope, sample::id(), None, 10).unwrap(), None);
    let restore = |id, version| {
        test.clock.advance(TimeDelta::seconds(1));
        basis::restore_process(&test.platform, &scope, id, version, author(), |_| true)
    };
    assert!(matches!(restore(first.id, 2), Err(ConfigError::NoSuchVersion(2))), "it was removed then");
    assert!(matches!(restore(sample::id(), 1), Err(ConfigError::NoSuchProcess)));
    let again = restore(first.id, 1).unwrap();
    assert_eq!((again.id, again.version, &again.content), (first.id, 3, &first.content));
    assert_eq!(again.created_at, first.created_at);
    assert!(again.updated_at > first.updated_at);
    let kinds: Vec<_> = events(&test, &scope).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["config.process.created", "config.process.deleted", "config.process.created"]);
    remove("3").unwrap();
    upsert(&test, &scope, wish(None, Some(sample::process("TENDER", "one"))));
    assert!(matches!(restore(first.id, 3), Err(ConfigError::NameTaken { .. })));
}

#[test]
fn of_concurrent_upserts_of_one_process_all_are_answered_with_one() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let ids: std::collections::BTreeSet<_> = std::thread::scope(|threads| {
        let upserts: Vec<_> = (0..8)
            .map(|_| {
                let (platform, scope) = (&test.platform, &scope);
                let wish = wish(Some("{}"), Some(sample::process("TENDER", "contested")));
                threads.spawn(move || basis::upsert(platform, scope, wish, |_| true).unwrap())
            })
            .collect();
        upserts.into_iter().map(|upsert| upsert.join().unwrap().process.unwrap().id).collect()
    });
    assert_eq!(ids.len(), 1);
    assert_eq!(events(&test, &scope).len(), 2);
}
