//! Facts about a tenant's basis, its processes, and their versions.

use std::sync::{Arc, Barrier};

use tenantry_domain::basis::{BasisConfig, ProcessConfig, Subject};
use tenantry_domain::id::{ProcessConfigId, TenantConfigId};
use tenantry_ports::{ConfigurationVersion, Constraint, StoreError, StoreResult, TenantStore};

use crate::contract::{Subject as Store, conflict, store};
use crate::sample;

type Opened = Arc<dyn TenantStore>;

fn stored(store: &Opened) -> Option<BasisConfig> {
    store.read(|tx| tx.basis().basis()).expect("a look-up")
}

fn put(store: &Opened, basis: &BasisConfig) -> StoreResult<()> {
    store.write(|tx| tx.basis().put_basis(basis))
}

fn add(store: &Opened, process: &ProcessConfig) -> StoreResult<()> {
    store.write(|tx| tx.basis().insert_process(process))
}

fn update(store: &Opened, process: &ProcessConfig) -> StoreResult<()> {
    store.write(|tx| tx.basis().update_process(process))
}

fn find(store: &Opened, id: ProcessConfigId) -> Option<ProcessConfig> {
    store.read(|tx| tx.basis().process(id)).expect("a look-up")
}

fn add_versions(store: &Opened, versions: &[ConfigurationVersion]) -> StoreResult<()> {
    store.write(|tx| tx.basis().add_versions(versions))
}

fn stale<T>(outcome: &StoreResult<T>) -> bool {
    matches!(outcome, Err(StoreError::Stale))
}

/// The basis comes back as it went in, digit for digit.
pub fn a_basis_is_read_back_whole(subject: &dyn Store) {
    let (store, _) = store(subject);
    assert_eq!(stored(&store), None);
    let basis = sample::basis_config();
    put(&store, &basis).expect("it is written");
    assert_eq!(stored(&store), Some(basis));
}

/// A version follows the one before, of the same basis; there is one basis.
pub fn a_basis_is_replaced_version_by_version(subject: &dyn Store) {
    let (store, _) = store(subject);
    let mut basis = BasisConfig { version: 7, ..sample::basis_config() };
    put(&store, &basis).expect("there is none, so it may be in any version");
    assert!(stale(&put(&store, &basis)), "it is there");
    let other = BasisConfig { id: sample::id(), version: 8, ..basis.clone() };
    assert!(stale(&put(&store, &other)), "it is another one");
    let mut content = basis.content.clone();
    content.org_structure = sample::verbatim("{}");
    basis.change(content, sample::at(5));
    put(&store, &basis).expect("it follows");
    assert_eq!(stored(&store), Some(basis.clone()));
    assert!(stale(&put(&store, &BasisConfig { version: 10, ..basis })));
}

/// A process comes back as it went in, by id and by type and name.
pub fn a_process_is_read_back_whole(subject: &dyn Store) {
    let (store, _) = store(subject);
    let process = sample::process_config("TENDER", "Standard Tender");
    add(&store, &process).expect("it is added");
    assert_eq!(find(&store, process.id), Some(process.clone()));
    assert_eq!(find(&store, sample::id()), None);
    let named = |kind: &str, name: &str| {
        let (kind, name) = (sample::label(kind), sample::label(name));
        store.read(|tx| tx.basis().process_named(&kind, &name)).expect("a look-up")
    };
    assert_eq!(named("TENDER", "Standard Tender"), Some(process));
    assert_eq!(named("TENDER", "standard tender"), None);
    assert_eq!(named("Standard Tender", "TENDER"), None);
}

/// One process has a type and name, whether it is new or was renamed.
pub fn a_type_and_name_that_is_taken_is_a_conflict(subject: &dyn Store) {
    let (store, _) = store(subject);
    let first = sample::process_config("TENDER", "Standard");
    add(&store, &first).expect("it is added");
    let same = add(&store, &sample::process_config("TENDER", "Standard"));
    assert!(conflict(&same, Constraint::ProcessName), "{same:?}");
    let mut other = sample::process_config("AUCTION", "Standard");
    add(&store, &other).expect("the type is another");
    other.change(sample::process("TENDER", "Standard"), sample::at(1));
    let renamed = update(&store, &other);
    assert!(conflict(&renamed, Constraint::ProcessName), "{renamed:?}");
}

/// Of many who add a process of one type and name at once, one does.
pub fn of_concurrent_processes_of_one_name_one_wins(subject: &dyn Store) {
    let (store, _) = store(subject);
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    add(&store, &sample::process_config("TENDER", "contested"))
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::ProcessName)).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
}

/// A process is changed and removed by those who know its version.
pub fn a_process_is_changed_and_removed_version_by_version(subject: &dyn Store) {
    let (store, _) = store(subject);
    let mut process = sample::process_config("TENDER", "Standard");
    assert!(stale(&update(&store, &ProcessConfig { version: 2, ..process.clone() })));
    add(&store, &process).expect("it is added");
    process.change(sample::process("AUCTION", "Other"), sample::at(5));
    update(&store, &process).expect("it follows");
    assert_eq!(find(&store, process.id), Some(process.clone()));
    assert!(stale(&update(&store, &process)));
    let remove = |version| store.write(|tx| tx.basis().remove_process(process.id, version));
    assert!(stale(&remove(1)));
    remove(2).expect("it is removed");
    assert_eq!(find(&store, process.id), None);
    assert!(stale(&remove(2)));
    add(&store, &process).expect("it is taken back, in any version");
    assert_eq!(find(&store, process.id), Some(process));
}

/// Pages of processes are newest first and complete, of one type or of all.
pub fn processes_are_listed_newest_first_and_filtered(subject: &dyn Store) {
    let (store, _) = store(subject);
    let mut processes: Vec<_> = (0..7)
        .map(|n| sample::process_config(["TENDER", "AUCTION"][n % 2], &format!("number {n}")))
        .collect();
    for process in &processes {
        add(&store, process).expect("it is added");
    }
    processes.sort_unstable_by_key(|process| std::cmp::Reverse(process.id));
    for kind in [None, Some("TENDER"), Some("tender")] {
        let wanted = kind.map(sample::label);
        let is_wanted = |process: &&ProcessConfig| {
            wanted.as_ref().is_none_or(|wanted| process.content.process_type == *wanted)
        };
        let expected: Vec<_> = processes.iter().filter(is_wanted).map(|process| process.id).collect();
        for limit in [1, 3, 50] {
            let mut seen: Vec<ProcessConfigId> = Vec::new();
            loop {
                let after = seen.last().copied();
                let page = store.read(|tx| tx.basis().processes(wanted.as_ref(), after, limit));
                let page = page.expect("a page");
                assert!(page.len() <= limit);
                if page.is_empty() {
                    break;
                }
                seen.extend(page.iter().map(|process| process.id));
                assert!(seen.len() <= processes.len(), "pages repeat themselves");
            }
            assert_eq!(seen, expected, "{kind:?} in pages of {limit}");
        }
    }
}

/// Versions come back as they went in, newest first, and those of one thing are not those of another.
pub fn versions_are_read_back_whole_and_newest_first(subject: &dyn Store) {
    let (store, _) = store(subject);
    let (basis, process): (TenantConfigId, ProcessConfigId) = (sample::id(), sample::id());
    let of = |subject: Subject, to: i64| -> Vec<_> {
        (1..=to).map(|version| sample::config_version(subject, version)).collect()
    };
    let (first, second) = (of(basis.into(), 11), of(process.into(), 3));
    add_versions(&store, &first).expect("they are added");
    add_versions(&store, &second).expect("they are added");
    add_versions(&store, &[]).expect("there are none to add");
    let page = |subject, before, limit| {
        store.read(|tx| tx.basis().versions(subject, before, limit)).expect("a page")
    };
    let newest_first: Vec<_> = first.iter().rev().cloned().collect();
    assert_eq!(page(basis.into(), None, 50), newest_first);
    assert_eq!(page(basis.into(), None, 4), newest_first[..4]);
    assert_eq!(page(basis.into(), Some(8), 50), newest_first[4..]);
    assert_eq!(page(basis.into(), Some(1), 50), []);
    assert_eq!(page(process.into(), None, 50).len(), 3);
    assert_eq!(page(Subject::Process(sample::id()), None, 50), []);
    let one = |subject, version| store.read(|tx| tx.basis().version(subject, version)).expect("a look-up");
    assert_eq!(one(process.into(), 3).as_ref(), Some(&second[2]));
    assert_eq!(one(process.into(), 4), None);
}

/// All versions of everything, page by page, in order of subject and version.
pub fn every_version_is_passed_in_order(subject: &dyn Store) {
    let (store, _) = store(subject);
    let processes: [ProcessConfigId; 3] = [sample::id(), sample::id(), sample::id()];
    let basis: TenantConfigId = sample::id();
    let mut all = Vec::new();
    for (subject, count) in [(Subject::from(basis), 2), (processes[1].into(), 3), (processes[0].into(), 1)] {
        all.extend((1..=count).map(|version| sample::config_version(subject, version)));
    }
    add_versions(&store, &all).expect("they are added");
    all.sort_by_key(|version| (version.subject.to_string(), version.version));
    for limit in [1, 4, 50] {
        let mut seen: Vec<ConfigurationVersion> = Vec::new();
        loop {
            let after = seen.last().map(|last| (last.subject, last.version));
            let page = store.read(|tx| tx.basis().every_version(after, limit)).expect("a page");
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= all.len(), "pages repeat themselves");
        }
        assert_eq!(seen, all, "in pages of {limit}");
    }
}

/// What was, is not written again.
pub fn a_version_that_is_there_is_a_conflict(subject: &dyn Store) {
    let (store, _) = store(subject);
    let process: ProcessConfigId = sample::id();
    let version = sample::config_version(process, 1);
    add_versions(&store, std::slice::from_ref(&version)).expect("it is added");
    let other = ConfigurationVersion { changed_by: "somebody".to_owned(), ..version.clone() };
    let again = add_versions(&store, &[sample::config_version(process, 2), other]);
    assert!(conflict(&again, Constraint::ConfigHistory), "{again:?}");
    let page = store.read(|tx| tx.basis().versions(process.into(), None, 5)).expect("a page");
    assert_eq!(page, [version]);
}
