//! Facts about rows that cannot be read: they hide nobody, hold up nobody, and are named.

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{
    PoolState, PooledDatabase, StoreError, StoreResult, TenantFilter, TenantRepository, Unreadable,
};

use super::pool::{ordered, ready, take, tenant};
use super::runs::MOMENT;
use crate::contract::{Subject, pooled};
use crate::sample;

/// Six tenants in this state, each a second younger than the one before; the first, the fourth and the sixth cannot be read.
fn half_spoilt(subject: &dyn Subject, lifecycle: &Lifecycle) -> [TenantId; 3] {
    let mut ids: Vec<_> = (0..6)
        .map(|i| {
            let created_at = sample::at(i);
            let mut tenant =
                Tenant { created_at, updated_at: created_at, ..sample::tenant(&format!("tenant-{i}")) };
            tenant.lifecycle = match lifecycle {
                Lifecycle::PendingValidation { .. } => Lifecycle::announced(sample::uuid(), created_at),
                other => other.clone(),
            };
            subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("the tenant is added");
            tenant.id
        })
        .collect();
    for i in [5, 3, 0] {
        subject.spoil_tenant(ids.remove(i));
    }
    ids.try_into().expect("three are left")
}

fn read<T>(subject: &dyn Subject, list: impl FnOnce(&mut dyn TenantRepository) -> StoreResult<T>) -> T {
    subject.control().read(|tx| list(tx.tenants())).expect("what can be read is")
}

/// Pages are as long as was asked for and complete, wherever the rows are that cannot be read.
pub fn pages_go_past_tenants_that_cannot_be_read(subject: &dyn Subject) {
    let mut sound = half_spoilt(subject, &Lifecycle::Active { since: sample::at(9) });
    sound.reverse();
    for limit in 1..=7 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = read(subject, |tenants| tenants.page(&TenantFilter::default(), after, limit));
            after = page.last().map(|tenant| (tenant.created_at, tenant.id)).or(after);
            let is_last = page.len() < limit;
            seen.extend(page.into_iter().map(|tenant| tenant.id));
            if is_last {
                break;
            }
        }
        assert_eq!(seen, sound, "in pages of {limit}");
    }
}

/// The overdue who can be read are found, however many come before them who cannot.
pub fn overdue_tenants_are_found_beside_those_that_cannot_be_read(subject: &dyn Subject) {
    let sound = half_spoilt(subject, &Lifecycle::announced(sample::uuid(), sample::at(0)));
    let late = sample::at(86_400);
    for limit in 1..=4 {
        let overdue = read(subject, |tenants| tenants.overdue(late, limit));
        let found: Vec<_> = overdue.iter().map(|tenant| tenant.id).collect();
        assert_eq!(found, sound[..limit.min(3)], "at most {limit}");
    }
}

/// The databases of those who can be read are migrated.
pub fn outdated_tenants_are_found_beside_those_that_cannot_be_read(subject: &dyn Subject) {
    let mut sound = half_spoilt(subject, &Lifecycle::Active { since: sample::at(9) });
    sound.sort_unstable();
    for limit in 1..=4 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = read(subject, |tenants| tenants.outdated("1", after, limit));
            after = page.last().map(|(tenant, _)| tenant.id).or(after);
            let is_last = page.len() < limit;
            seen.extend(page.into_iter().map(|(tenant, _)| tenant.id));
            if is_last {
                break;
            }
        }
        assert_eq!(seen, sound, "in pages of {limit}");
    }
}

/// Who cannot be read is named, with what is wrong; who is asked for by name is still an error.
pub fn tenants_that_cannot_be_read_are_named(subject: &dyn Subject) {
    assert_eq!(read(subject, |tenants| tenants.unreadable()), []);
    let sound = half_spoilt(subject, &Lifecycle::Active { since: sample::at(9) });
    let named = read(subject, |tenants| tenants.unreadable());
    assert_eq!(named.len(), 3);
    assert!(named.is_sorted_by_key(|row| row.id.clone()));
    for Unreadable { id, reason } in &named {
        assert!(!reason.is_empty());
        let id: TenantId = id.parse().expect("an id");
        assert!(!sound.contains(&id));
        let found = subject.control().read(|tx| tx.tenants().get(id));
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{found:?}");
    }
}

fn pool(subject: &dyn Subject) -> Vec<(PooledDatabase, PoolState)> {
    subject.control().read(|tx| tx.pool().all()).expect("what can be read is")
}

fn unreadable_in_pool(subject: &dyn Subject) -> Vec<String> {
    let named: StoreResult<_> = subject.control().read(|tx| tx.pool().unreadable());
    let named = named.expect("they are named").into_iter();
    named.inspect(|row| assert!(!row.reason.is_empty())).map(|row| row.id).collect()
}

/// A pooled database that cannot be read is not listed, and whoever wants one gets the next.
pub fn an_unreadable_pooled_database_is_given_to_nobody(subject: &dyn Subject) {
    assert!(unreadable_in_pool(subject).is_empty());
    let [oldest, second, third] = [1, 2, 3].map(|second| ready(subject, second));
    subject.spoil_pooled(oldest.id);
    let listed: Vec<_> = pool(subject).into_iter().map(|(pooled, _)| pooled).collect();
    assert_eq!(listed, [second.clone(), third.clone()]);
    for (slug, expected) in [("acme", Some(second)), ("globex", Some(third)), ("initech", None)] {
        let taken = take(subject, tenant(subject, slug)).map(|taken| taken.database);
        assert_eq!(taken, expected, "{slug}");
    }
    assert_eq!(unreadable_in_pool(subject), [oldest.id.to_string()], "it is still there, and named");
}

/// An abandoned one that cannot be read does not keep the others from being carried on with.
pub fn an_unreadable_abandoned_database_is_carried_on_with_by_nobody(subject: &dyn Subject) {
    let [spoilt, sound] = [pooled(subject), pooled(subject)];
    ordered(subject, &spoilt, sample::at(10));
    ordered(subject, &sound, sample::at(20));
    subject.spoil_pooled(spoilt.id);
    let claim = |second| {
        let now = sample::at(second);
        let claimed: StoreResult<_> =
            subject.control().write(|tx| tx.pool().claim_abandoned(now, now + MOMENT));
        claimed.expect("what cannot be read is no failure").map(|(pooled, _)| pooled)
    };
    assert_eq!(claim(15), None);
    assert_eq!(claim(20), Some(sound.clone()));
    assert_eq!(claim(30), Some(sound));
    assert_eq!(unreadable_in_pool(subject), [spoilt.id.to_string()]);
}

/// What a tenant's run has taken and can no longer be read counts as nothing taken.
pub fn a_taken_database_that_becomes_unreadable_is_the_tenants_no_more(subject: &dyn Subject) {
    let (taken, acme) = (ready(subject, 1), tenant(subject, "acme"));
    assert_eq!(take(subject, acme).map(|taken| taken.database), Some(taken.clone()));
    subject.spoil_pooled(taken.id);
    let found: StoreResult<_> = subject.control().read(|tx| tx.pool().taken_by(acme));
    assert_eq!(found.expect("no failure"), None);
    assert_eq!(take(subject, acme), None);
    let other = ready(subject, 2);
    assert_eq!(take(subject, acme).map(|taken| taken.database), Some(other));
    assert_eq!(unreadable_in_pool(subject), [taken.id.to_string()]);
}
