//! Facts about account configs.

use std::sync::{Arc, Barrier};

use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_ports::{ConfigHead, ConfigVersionRecord, Constraint, StoreResult, StoredConfig, TenantStore};

use crate::contract::{Subject, conflict, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn add(store: &Store, config: &StoredConfig) -> StoreResult<()> {
    store.write(|tx| tx.configs().insert(config))
}

fn add_all(store: &Store, configs: &[StoredConfig]) {
    store
        .write(|tx| configs.iter().try_for_each(|config| tx.configs().insert(config)))
        .expect("the configs are added");
}

fn stored(store: &Store, id: &ConfigId, version: Option<ConfigVersion>) -> Option<StoredConfig> {
    store.read(|tx| tx.configs().get(id, version)).expect("a look-up")
}

fn head(config: &StoredConfig) -> ConfigHead {
    ConfigHead { id: config.id.clone(), version: config.version, hash: config.hash.clone() }
}

fn record(config: &StoredConfig) -> ConfigVersionRecord {
    ConfigVersionRecord {
        version: config.version,
        hash: config.hash.clone(),
        created_by: config.created_by.clone(),
        created_at: config.created_at,
    }
}

fn id(text: &str) -> ConfigId {
    ConfigId::new(text).expect("a config id")
}

/// Both documents of a version come back as they went in, and so does everything else of it.
pub fn a_config_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut config = sample::stored_config("25k-eval-v1", 1);
    config.resolved["meta"] = sample::json_object().into();
    add(&store, &config).expect("the config is added");
    assert_eq!(stored(&store, &config.id, Some(config.version)), Some(config.clone()));
    assert_eq!(stored(&store, &config.id, None), Some(config));
}

/// Every version stays; without one named, the highest is meant.
pub fn every_version_stays_and_the_highest_is_current(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let versions: Vec<_> = (1..=11).map(|version| sample::stored_config("25k-eval", version)).collect();
    for config in &versions {
        add(&store, config).expect("the version is added");
        assert_eq!(stored(&store, &config.id, None).as_ref(), Some(config));
    }
    for config in &versions {
        assert_eq!(stored(&store, &config.id, Some(config.version)).as_ref(), Some(config));
    }
    let missing = ConfigVersion::new(12).expect("a version");
    assert_eq!(stored(&store, &versions[0].id, Some(missing)), None);
    assert_eq!(stored(&store, &id("25k"), None), None);
    assert_eq!(stored(&store, &id("25k-eval-v1"), None), None);
}

/// Versions are listed the highest first, page by page, those of one id alone.
pub fn versions_are_listed_from_the_highest_down(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let versions: Vec<_> = (1..=11).map(|version| sample::stored_config("25k-eval", version)).collect();
    add_all(&store, &versions);
    add_all(&store, &[sample::stored_config("25k-eval-v2", 1), sample::stored_config("25k-eva", 12)]);
    let expected: Vec<_> = versions.iter().rev().map(record).collect();
    let eval = id("25k-eval");
    for limit in [1, 4, 11, 50] {
        let mut seen: Vec<ConfigVersionRecord> = Vec::new();
        loop {
            let before = seen.last().map(|record| record.version);
            let page = store.read(|tx| tx.configs().versions(&eval, before, limit)).expect("a page");
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= expected.len(), "pages repeat themselves");
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
    let unknown = store.read(|tx| tx.configs().versions(&id("no-such"), None, 10)).expect("a look-up");
    assert_eq!(unknown, []);
}

/// A version is found by its hash: the highest of those that have it, of this id alone.
pub fn a_version_is_found_by_its_hash(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let with = |id: &str, version, hash: &str| StoredConfig {
        hash: hash.repeat(64),
        ..sample::stored_config(id, version)
    };
    let versions = [with("aaa", 1, "1"), with("aaa", 2, "2"), with("aaa", 3, "1"), with("bbb", 1, "2")];
    add_all(&store, &versions);
    let found = |name: &str, hash: &str| {
        store.read(|tx| tx.configs().with_hash(&id(name), &hash.repeat(64))).expect("a look-up")
    };
    assert_eq!(found("aaa", "2").as_ref(), Some(&versions[1]));
    assert_eq!(found("aaa", "1").as_ref(), Some(&versions[2]));
    assert_eq!(found("bbb", "2").as_ref(), Some(&versions[3]));
    assert_eq!((found("bbb", "1"), found("ccc", "1")), (None, None));
}

/// A version is never overwritten.
pub fn a_version_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let first = sample::stored_config("25k-eval-v1", 1);
    let mut second = first.clone();
    second.resolved["baseCapital"] = 99_999.into();
    add(&store, &first).expect("the config is added");
    assert!(conflict(&add(&store, &second), Constraint::ConfigVersion));
    assert_eq!(stored(&store, &first.id, None), Some(first));
}

/// Of many who upload the same version at once, one does.
pub fn of_concurrent_uploads_of_one_version_one_wins(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    add(&store, &sample::stored_config("contested", 1))
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::ConfigVersion)).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
}

/// The heads of several ids at once; what does not exist is left out, and what is asked twice is answered once.
pub fn heads_are_the_current_versions(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (old, current) = (sample::stored_config("aaa", 1), sample::stored_config("aaa", 2));
    let (other, unasked) = (sample::stored_config("bbb", 1), sample::stored_config("ccc", 1));
    add_all(&store, &[old, current.clone(), other.clone(), unasked]);
    let heads = |ids: &[ConfigId]| {
        let mut heads = store.read(|tx| tx.configs().heads(ids)).expect("a look-up");
        heads.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        heads
    };
    assert_eq!(heads(&[id("bbb"), id("zzz"), id("aaa"), id("bbb")]), [head(&current), head(&other)]);
    assert_eq!(heads(&[]), []);
    assert_eq!(heads(&[id("zzz")]), []);
}

/// Pages are in order of id, byte by byte, one entry per id.
pub fn pages_are_in_order_of_id(subject: &dyn Subject) {
    let (store, _) = store(subject);
    // In another order than any language would sort these, and not in order of insertion.
    let ids = ["b-1", "a-1", "a1z", "9zz", "a--", "ab-", "a-1-v2", "100"];
    for id in ids {
        add_all(&store, &[sample::stored_config(id, 1), sample::stored_config(id, 2)]);
    }
    let mut expected = ids.to_vec();
    expected.sort_unstable();
    for limit in [1, 3, 8, 50] {
        let mut seen: Vec<ConfigHead> = Vec::new();
        loop {
            let after = seen.last().map(|head| head.id.clone());
            let page = store.read(|tx| tx.configs().page(after.as_ref(), limit)).expect("a page");
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= ids.len(), "pages repeat themselves");
        }
        assert!(seen.iter().all(|head| head.version.get() == 2));
        assert_eq!(
            seen.iter().map(|head| head.id.as_str()).collect::<Vec<_>>(),
            expected,
            "in pages of {limit}"
        );
    }
}

/// A database that is cleared holds no version of any config, and takes up any of them anew.
pub fn what_is_cleared_is_gone_and_may_come_anew(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (first, second) = (sample::stored_config("aaa", 1), sample::stored_config("aaa", 2));
    let other = sample::stored_config("bbb", 1);
    add_all(&store, &[first.clone(), second, other]);
    let refused: StoreResult<()> = store.read(|tx| tx.configs().clear());
    assert!(refused.is_err(), "it is a write");
    store
        .write(|tx| {
            tx.configs().clear()?;
            tx.configs().insert(&first)
        })
        .expect("they are cleared");
    assert_eq!(store.read(|tx| tx.configs().page(None, 10)).expect("a page"), [head(&first)]);
    assert_eq!(stored(&store, &first.id, None), Some(first));
}
