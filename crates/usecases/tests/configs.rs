//! Uploads: what is wrong is said all at once, and what is stored never changes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::active;
use tenantry_domain::config::{VersioningStrategy, demo};
use tenantry_domain::tenant::Settings;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_testkit::TestPlatform;
use tenantry_usecases::configs::{self, Upload, UploadError, Uploaded};

fn upload(test: &TestPlatform, scope: &TenantScope, document: &Value) -> Result<Uploaded, UploadError> {
    let upload = Upload { document: document.clone(), actor: "key_1".to_owned(), trace: "trace".to_owned() };
    configs::upload(&test.platform, scope, upload)
}

fn document(id: &str) -> Value {
    let mut document = demo::config();
    document["id"] = json!(id);
    document
}

fn internal(test: &TestPlatform, scope: &TenantScope) {
    let settings = Settings { versioning_strategy: VersioningStrategy::Internal, ..Settings::default() };
    let store = test.platform.stores.open(scope).unwrap();
    store.write::<_, StoreError>(|tx| tx.settings().put(&settings)).unwrap();
}

#[test]
fn under_the_explicit_strategy_a_taken_id_is_refused_with_the_next_free_one() {
    let test = TestPlatform::new();
    let scope = active(&test);
    assert_eq!(upload(&test, &scope, &document("25k-eval-v1")).unwrap().config.version.get(), 1);
    upload(&test, &scope, &document("25k-eval-v2")).unwrap();
    let mut changed = document("25k-eval-v1");
    changed["baseCapital"] = json!(30_000);
    match upload(&test, &scope, &changed) {
        Err(UploadError::IdTaken { id, suggestion }) => {
            assert_eq!((id.as_str(), suggestion.as_str()), ("25k-eval-v1", "25k-eval-v3"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn under_the_internal_strategy_the_id_gets_its_next_version_and_keeps_the_old_one() {
    let test = TestPlatform::new();
    let scope = active(&test);
    internal(&test, &scope);
    let first = upload(&test, &scope, &document("25k-eval")).unwrap().config;
    let mut changed = document("25k-eval");
    changed["baseCapital"] = json!(30_000);
    let second = upload(&test, &scope, &changed).unwrap().config;
    assert_eq!((first.version.get(), second.version.get()), (1, 2));
    let get = |version| configs::get(&test.platform, &scope, &first.id, version).unwrap().unwrap();
    assert_eq!(get(None), second);
    assert_eq!(get(Some(first.version)), first);
}

#[test]
fn an_identical_document_makes_no_version_under_either_strategy() {
    for strategy in [VersioningStrategy::Explicit, VersioningStrategy::Internal] {
        let test = TestPlatform::new();
        let scope = active(&test);
        if strategy == VersioningStrategy::Internal {
            internal(&test, &scope);
        }
        let first = upload(&test, &scope, &document("25k-eval-v1")).unwrap();
        let text = document("25k-eval-v1").to_string();
        let again = upload(&test, &scope, &serde_json::from_str(&text).unwrap()).unwrap();
        assert!(first.created && !again.created);
        assert_eq!(again.config, first.config);
    }
}

#[test]
fn validating_says_what_uploading_says_and_stores_nothing() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let mut bad = document("25k-eval-v1");
    bad["currency"] = json!("XXQ");
    bad["tenantId"] = json!("somebody-else");
    bad["challengeDefinitions"][0]["rules"]["dailyLossLimit"] = json!(0.5);
    let verdict = configs::validate(&test.platform, &scope, &bad).unwrap();
    let codes: Vec<_> = verdict.errors.iter().map(|finding| &*finding.code).collect();
    assert!(
        ["unknown_currency", "tenant_mismatch", "daily_loss_exceeds_max_drawdown"]
            .iter()
            .all(|c| codes.contains(c)),
        "{codes:?}"
    );
    match upload(&test, &scope, &bad) {
        Err(UploadError::Invalid { errors, warnings }) => {
            assert_eq!((errors, warnings), (verdict.errors, verdict.warnings));
        }
        other => panic!("{other:?}"),
    }
    let good = document("25k-eval-v1");
    assert!(configs::validate(&test.platform, &scope, &good).unwrap().errors.is_empty());
    let ids: Vec<_> = configs::list(&test.platform, &scope, None, 50).unwrap();
    assert_eq!(ids.len(), 1, "only the demonstration config is there");
}

#[test]
fn a_child_is_laid_over_its_parents_current_version() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let child = json!({ "id": "child-v1", "displayName": "Child", "parentConfigId": demo::DEMO_CONFIG_ID, "tenantId": "acme" });
    let stored = upload(&test, &scope, &child).unwrap().config;
    assert_eq!(stored.document, child);
    assert_eq!(
        (&stored.resolved["baseCapital"], &stored.resolved["displayName"]),
        (&json!(25_000), &json!("Child"))
    );
    let orphan = json!({ "id": "orphan-v1", "displayName": "Orphan", "parentConfigId": "no-such-config" });
    let Err(UploadError::Invalid { errors, .. }) = upload(&test, &scope, &orphan) else { panic!("accepted") };
    assert!(errors.iter().any(|finding| finding.code == "parent_not_found"), "{errors:?}");
}

#[test]
fn what_is_an_older_versions_very_document_makes_no_version_either() {
    let test = TestPlatform::new();
    let scope = active(&test);
    internal(&test, &scope);
    let old = upload(&test, &scope, &document("25k-eval")).unwrap();
    let mut changed = document("25k-eval");
    changed["baseCapital"] = json!(30_000);
    let new = upload(&test, &scope, &changed).unwrap();
    assert!(new.created && new.is_current);
    let again = upload(&test, &scope, &document("25k-eval")).unwrap();
    assert_eq!((again.created, again.is_current, &again.config), (false, false, &old.config));
    let versions = configs::versions(&test.platform, &scope, &old.config.id, None, 10).unwrap().unwrap();
    assert_eq!(versions.iter().map(|record| record.version.get()).collect::<Vec<_>>(), [2, 1]);
    let store = test.platform.stores.open(&scope).unwrap();
    let settings = Settings { versioning_strategy: VersioningStrategy::Explicit, ..Settings::default() };
    store.write::<_, StoreError>(|tx| tx.settings().put(&settings)).unwrap();
    assert!(!upload(&test, &scope, &document("25k-eval")).unwrap().created);
    assert!(!upload(&test, &scope, &changed).unwrap().created);
}

#[test]
fn of_concurrent_identical_uploads_one_makes_a_version() {
    for strategy in [VersioningStrategy::Explicit, VersioningStrategy::Internal] {
        let test = TestPlatform::new();
        let scope = active(&test);
        if strategy == VersioningStrategy::Internal {
            internal(&test, &scope);
        }
        let created = std::thread::scope(|threads| {
            let one = || upload(&test, &scope, &document("25k-eval-v1")).unwrap().created;
            let threads: Vec<_> = (0..8).map(|_| threads.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|created| *created).count()
        });
        assert_eq!(created, 1);
    }
}

#[test]
fn a_new_version_of_the_parent_changes_no_version_of_its_children() {
    let test = TestPlatform::new();
    let scope = active(&test);
    internal(&test, &scope);
    let child = json!({ "id": "child", "displayName": "Child", "parentConfigId": "base" });
    let grandchild = json!({ "id": "grandchild", "displayName": "Grandchild", "parentConfigId": "child" });
    upload(&test, &scope, &document("base")).unwrap();
    let before = upload(&test, &scope, &child).unwrap().config;
    upload(&test, &scope, &grandchild).unwrap();
    let mut changed = document("base");
    changed["baseCapital"] = json!(50_000);
    upload(&test, &scope, &changed).unwrap();

    let get = |id: &str| configs::get(&test.platform, &scope, &id.parse().unwrap(), None).unwrap().unwrap();
    assert_eq!(get("child"), before);
    // What the child was when the grandchild came is part of the grandchild, and nothing newer.
    let still = upload(&test, &scope, &grandchild).unwrap();
    assert!(!still.created && still.config.resolved["baseCapital"] == 25_000);
    // Uploaded again it is another config, for it is laid over another parent.
    let after = upload(&test, &scope, &child).unwrap();
    assert!(after.created && after.config.version.get() == 2);
    assert_eq!((&after.config.document, &after.config.resolved["baseCapital"]), (&child, &json!(50_000)));
}

#[test]
fn versions_are_compared_by_what_they_resolve_to() {
    let test = TestPlatform::new();
    let scope = active(&test);
    internal(&test, &scope);
    let first = upload(&test, &scope, &document("25k-eval")).unwrap().config;
    let mut changed = document("25k-eval");
    changed["baseCapital"] = json!(30_000);
    let second = upload(&test, &scope, &changed).unwrap().config;
    let compare = |from, to| configs::compare(&test.platform, &scope, &first.id, from, to).unwrap();
    let comparison = compare(None, None).unwrap();
    assert_eq!((comparison.from, comparison.to), (first.version, second.version));
    let told = serde_json::to_value(&comparison.differences).unwrap();
    let step = json!({ "op": "replace", "pointer": "/baseCapital", "from": 25_000, "to": 30_000 });
    assert_eq!(told, json!([step]));
    assert_eq!(compare(Some(second.version), Some(second.version)).unwrap().differences, []);
    assert_eq!(compare(None, Some(first.version)).unwrap().differences, [], "before the first one");
    assert_eq!(compare(Some(second.version.next()), None), None);
    assert_eq!(compare(None, Some(second.version.next())), None);
}
