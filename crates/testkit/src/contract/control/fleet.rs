//! Facts about looking after many tenants at once.

use std::collections::BTreeMap;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Former, Home, Lifecycle, Status, Tenant, TenantName};
use tenantry_ports::{StoreResult, TenantScope};

use super::pool::{claim_ready, ready};
use super::runs::MOMENT;
use crate::contract::Subject;
use crate::sample;

fn add(subject: &dyn Subject, tenant: &Tenant) {
    subject.control().write(|tx| tx.tenants().insert(tenant)).expect("the tenant is added");
}

/// Adds a tenant in this state.
fn added(subject: &dyn Subject, slug: &str, lifecycle: Lifecycle) -> Tenant {
    let tenant = Tenant { lifecycle, ..sample::tenant(slug) };
    add(subject, &tenant);
    tenant
}

fn active(subject: &dyn Subject, slug: &str) -> Tenant {
    added(subject, slug, Lifecycle::Active { since: sample::at(1) })
}

/// A tenant that was announced so many seconds after the others.
fn announced(subject: &dyn Subject, slug: &str, second: i64) -> Tenant {
    let created_at = sample::at(second);
    let lifecycle = Lifecycle::announced(sample::uuid(), created_at);
    let tenant = Tenant { created_at, updated_at: created_at, lifecycle, ..sample::tenant(slug) };
    add(subject, &tenant);
    tenant
}

fn overdue(subject: &dyn Subject, now: DateTime<Utc>, limit: usize) -> Vec<Tenant> {
    subject.control().read(|tx| tx.tenants().overdue(now, limit)).expect("the tenants are read")
}

fn outdated(subject: &dyn Subject, schema: &str) -> Vec<TenantId> {
    let page = subject.control().read(|tx| tx.tenants().outdated(schema, None, 100));
    page.expect("a page").into_iter().map(|(tenant, _)| tenant.id).collect()
}

fn note(subject: &dyn Subject, tenant: &Tenant, schema: &str) {
    subject.control().write(|tx| tx.tenants().note_schema(tenant.id, schema)).expect("the schema is noted");
}

fn stored(subject: &dyn Subject, id: TenantId) -> Tenant {
    subject.control().read(|tx| tx.tenants().get(id)).expect("a look-up").expect("the tenant is there")
}

/// A tenant is overdue once its confirmation would come too late, not at the last moment of its time, and only if it still
/// waits for one.
pub fn who_can_no_longer_be_confirmed_is_overdue(subject: &dyn Subject) {
    for (i, lifecycle) in sample::lifecycles().into_iter().enumerate() {
        added(subject, &format!("tenant-{i}"), lifecycle);
    }
    let waiting = announced(subject, "waiting", 1_000);
    let last_moment = sample::at(1_900);
    let waits = |tenant: &Tenant| tenant.lifecycle.status() == Status::PendingValidation;
    let before = overdue(subject, last_moment, 100);
    assert!(before.len() == 1 && before.iter().all(waits), "the sample's, which began earlier");
    assert!(!before.contains(&waiting));
    assert!(waiting.lifecycle.clone().expire(last_moment).is_err());
    assert!(waiting.lifecycle.clone().expire(last_moment + MOMENT).is_ok());
    assert_eq!(overdue(subject, last_moment + MOMENT, 100), [before, vec![waiting]].concat());
}

/// Who has been overdue for longest comes first, and no more than asked for.
pub fn the_overdue_come_oldest_first(subject: &dyn Subject) {
    let [last, first, middle] =
        [30, 10, 20].map(|second| announced(subject, &format!("at-{second}"), second));
    let far = sample::at(1_000_000);
    assert_eq!(overdue(subject, far, 2), [first.clone(), middle.clone()]);
    assert_eq!(overdue(subject, far, 3), [first, middle, last]);
    assert!(overdue(subject, sample::now(), 3).is_empty());
}

/// A database is outdated unless the very schema asked for was noted for it last.
pub fn a_database_is_outdated_unless_its_schema_was_noted(subject: &dyn Subject) {
    let (acme, other) = (active(subject, "acme"), active(subject, "other"));
    note(subject, &acme, "2026-01-01");
    assert_eq!(outdated(subject, "2026-01-01"), [other.id]);
    note(subject, &other, "2026-01-01");
    assert!(outdated(subject, "2026-01-01").is_empty());
    assert_eq!(outdated(subject, "2026-02-02").len(), 2);
    note(subject, &acme, "2026-02-02");
    assert_eq!(outdated(subject, "2026-02-02"), [other.id]);
    assert_eq!(outdated(subject, "2026-01-01"), [acme.id], "also one that is ahead");
    assert_eq!(outdated(subject, "").len(), 2);
}

/// Exactly the databases that are there and looked after can be outdated.
pub fn only_databases_that_are_looked_after_are_outdated(subject: &dyn Subject) {
    for (i, lifecycle) in sample::lifecycles().into_iter().enumerate() {
        let tenant = added(subject, &format!("tenant-{i}"), lifecycle);
        let looked_after = TenantScope::maintenance(&tenant).is_ok();
        assert_eq!(outdated(subject, "1").contains(&tenant.id), looked_after, "{:?}", tenant.lifecycle);
    }
    let going = Lifecycle::Deprovisioning {
        since: sample::at(1),
        drop_at: sample::at(2),
        begun: false,
        former: Former::Suspended,
    };
    let tenant = added(subject, "going", going);
    assert!(outdated(subject, "1").contains(&tenant.id), "as long as there is a way back");
}

/// Pages of outdated tenants follow each other in order of id without gap or repetition, also while they are brought up to
/// date on the way.
pub fn the_outdated_come_in_order_of_id(subject: &dyn Subject) {
    let mut tenants: Vec<_> = (0..11).map(|i| active(subject, &format!("tenant-{i:02}"))).collect();
    tenants.sort_unstable_by_key(|tenant| tenant.id);
    for (schema, limit, migrate) in [("1", 1, false), ("2", 3, true), ("3", 11, true), ("4", 50, false)] {
        let mut seen: Vec<Tenant> = Vec::new();
        loop {
            let after = seen.last().map(|tenant| tenant.id);
            let page = subject.control().read(|tx| tx.tenants().outdated(schema, after, limit));
            let page: Vec<_> = page.expect("a page").into_iter().map(|(tenant, _)| tenant).collect();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            if migrate {
                page.iter().for_each(|tenant| note(subject, tenant, schema));
            }
            seen.extend(page);
            assert!(seen.len() <= tenants.len(), "pages repeat themselves");
        }
        assert_eq!(seen, tenants, "in pages of {limit}");
        assert_eq!(outdated(subject, schema).is_empty(), migrate);
    }
}

/// A noted schema leaves the tenant as it was: who read it before can still update it, and no update touches what was
/// noted.
pub fn noting_a_schema_is_no_change_of_the_tenant(subject: &dyn Subject) {
    let mut tenant = active(subject, "acme");
    note(subject, &tenant, "7");
    assert_eq!(stored(subject, tenant.id), tenant);

    tenant.name = TenantName::new("Acme & Sons").expect("a name");
    tenant.enter(Lifecycle::Suspended { since: sample::at(9) }, sample::at(9));
    subject.control().write(|tx| tx.tenants().update(&tenant)).expect("its version is the expected one");
    assert_eq!(stored(subject, tenant.id), tenant);
    assert!(outdated(subject, "7").is_empty(), "the update has left it alone");
    assert_eq!(outdated(subject, "8"), [tenant.id]);
}

/// A schema is noted for the tenant named and nobody else, and not if the unit of work fails.
pub fn a_noted_schema_is_kept_with_the_rest_of_its_unit_of_work(subject: &dyn Subject) {
    let (acme, other) = (active(subject, "acme"), active(subject, "other"));
    let outcome: StoreResult<()> = subject.control().write(|tx| {
        tx.tenants().note_schema(acme.id, "1")?;
        tx.tenants().insert(&other)
    });
    assert!(outcome.is_err());
    assert_eq!(outdated(subject, "1").len(), 2);
    note(subject, &acme, "1");
    assert_eq!(outdated(subject, "1"), [other.id]);
}

/// With an outdated tenant comes what was noted last, if anything was.
pub fn the_outdated_come_with_what_was_noted(subject: &dyn Subject) {
    let (acme, never) = (active(subject, "acme"), active(subject, "never"));
    note(subject, &acme, "1");
    note(subject, &acme, sample::ODD_TEXT);
    let mut expected = [(acme, Some(sample::ODD_TEXT.to_owned())), (never, None)];
    expected.sort_unstable_by_key(|(tenant, _)| tenant.id);
    let page = subject.control().read(|tx| tx.tenants().outdated("2", None, 100));
    assert_eq!(page.expect("a page"), expected);
}

/// One question tells whether anything is behind, a tenant's database or one of the pool that tenants may take.
pub fn one_question_tells_whether_anything_is_outdated(subject: &dyn Subject) {
    let anything =
        |schema| subject.control().read(|tx| tx.tenants().anything_outdated(schema)).expect("an answer");
    assert!(!anything("1"), "there is nothing");
    let acme = active(subject, "acme");
    assert!(anything("1"), "nothing was noted");
    note(subject, &acme, "1");
    assert!(!anything("1"));
    let pooled = ready(subject, 1);
    assert!(!anything("1"));
    note(subject, &acme, "2");
    assert!(anything("2"), "the pooled one has schema 1");
    claim_ready(subject, pooled.id).expect("the lease is given");
    assert!(!anything("2"), "whoever is at work on it takes care of it");
}

/// Counts as a map; what was counted twice has been counted wrong.
fn counts<K: Ord + Debug>(counted: StoreResult<Vec<(K, u64)>>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for (key, count) in counted.expect("the tenants are counted") {
        let repeated = counts.insert(key, count);
        assert_eq!(repeated, None);
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// The census counts every tenant, in the state it is in.
pub fn the_census_counts_tenants_by_state(subject: &dyn Subject) {
    let census = || {
        let counted = subject.control().read(|tx| tx.tenants().census());
        counts(counted.map(|census| {
            census.into_iter().map(|(status, count)| (status.as_str(), count)).collect::<Vec<_>>()
        }))
    };
    assert!(census().is_empty());
    let mut expected = BTreeMap::new();
    for (i, lifecycle) in sample::lifecycles().into_iter().enumerate() {
        *expected.entry(lifecycle.status().as_str()).or_insert(0) += 1;
        added(subject, &format!("tenant-{i}"), lifecycle);
    }
    assert_eq!(expected.len(), Status::ALL.len(), "every state is in the sample");
    assert_eq!(census(), expected);

    let mut gone = announced(subject, "gone", 0);
    gone.enter(Lifecycle::Expired { at: sample::at(901) }, sample::at(901));
    subject.control().write(|tx| tx.tenants().update(&gone)).expect("the tenant is updated");
    *expected.entry(Status::Expired.as_str()).or_insert(0) += 1;
    assert_eq!(census(), expected, "who moved on is counted once");
}

/// Each server is counted the tenants that have a database there, or will, or may have left one.
pub fn tenants_are_counted_where_they_live(subject: &dyn Subject) {
    let per_cluster = || counts(subject.control().read(|tx| tx.tenants().per_cluster()));
    assert!(per_cluster().is_empty());
    let mut expected = BTreeMap::new();
    for (name, times) in [("main", 1), ("eu-1", 2)] {
        for (i, lifecycle) in (0..times).flat_map(|_| sample::lifecycles()).enumerate() {
            let home = Home { cluster: sample::cluster(name), login: None };
            if lifecycle.holds_slug() {
                *expected.entry(home.cluster.clone()).or_insert(0) += 1;
            }
            add(subject, &Tenant { home, lifecycle, ..sample::tenant(&format!("{name}-{i}")) });
        }
    }
    assert_eq!(expected[&sample::cluster("eu-1")], 2 * expected[&sample::cluster("main")]);
    assert_eq!(per_cluster(), expected);

    let mut deleted =
        Tenant { home: Home { cluster: sample::cluster("eu-2"), login: None }, ..sample::tenant("deleted") };
    add(subject, &deleted);
    assert_eq!(per_cluster()[&deleted.home.cluster], 1);
    deleted.enter(Lifecycle::Deleted { at: sample::at(9) }, sample::at(9));
    subject.control().write(|tx| tx.tenants().update(&deleted)).expect("the tenant is updated");
    assert_eq!(per_cluster(), expected, "what is gone takes no room");
}
