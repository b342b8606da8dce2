//! Facts about the warm pool's register.

use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Tenant};
use tenantry_ports::{
    ControlTx, PoolLease, PoolState, PooledDatabase, StoreError, StoreResult, TakenDatabase,
};
use uuid::Uuid;

use super::runs::MOMENT;
use crate::contract::{Subject, pooled};
use crate::sample;

/// Until when leases last here, unless otherwise said.
pub(super) fn until() -> DateTime<Utc> {
    sample::at(60)
}

pub(super) fn write<T>(
    subject: &dyn Subject,
    body: impl FnOnce(&mut dyn ControlTx) -> StoreResult<T>,
) -> StoreResult<T> {
    subject.control().write(body)
}

pub(super) fn tenant(subject: &dyn Subject, slug: &str) -> TenantId {
    let tenant: Tenant = sample::tenant(slug);
    write(subject, |tx| tx.tenants().insert(&tenant)).expect("the tenant is added");
    tenant.id
}

/// A database that somebody makes, and has until then.
pub(super) fn ordered(subject: &dyn Subject, database: &PooledDatabase, until: DateTime<Utc>) -> PoolLease {
    write(subject, |tx| tx.pool().insert(database, until)).expect("the database is registered")
}

/// A new database that is ready, with schema `1`, on the default server, ordered at that second.
pub(super) fn ready(subject: &dyn Subject, second: i64) -> PooledDatabase {
    let database = PooledDatabase { created_at: sample::at(second), ..pooled(subject) };
    let lease = ordered(subject, &database, until());
    make_ready(subject, lease, "1").expect("the lease holds");
    database
}

pub(super) fn make_ready(subject: &dyn Subject, lease: PoolLease, schema: &str) -> StoreResult<()> {
    write(subject, |tx| tx.pool().ready(lease, schema))
}

pub(super) fn take(subject: &dyn Subject, tenant: TenantId) -> Option<TakenDatabase> {
    take_where(subject, &ClusterName::default(), "1", tenant)
}

fn take_where(
    subject: &dyn Subject,
    cluster: &ClusterName,
    schema: &str,
    tenant: TenantId,
) -> Option<TakenDatabase> {
    write(subject, |tx| tx.pool().take(cluster, schema, tenant)).expect("taking does not fail")
}

pub(super) fn taken_by(subject: &dyn Subject, tenant: TenantId) -> Option<TakenDatabase> {
    subject.control().read(|tx| tx.pool().taken_by(tenant)).expect("a look-up")
}

pub(super) fn claim_ready(subject: &dyn Subject, id: Uuid) -> Option<PoolLease> {
    write(subject, |tx| tx.pool().claim_ready(id, until())).expect("claiming does not fail")
}

pub(super) fn all(subject: &dyn Subject) -> Vec<(PooledDatabase, PoolState)> {
    subject.control().read(|tx| tx.pool().all()).expect("the pool is read")
}

/// Every member comes back as it went in, oldest first, in every state.
pub fn databases_are_read_back_with_their_state(subject: &dyn Subject) {
    assert!(all(subject).is_empty());
    let acme = tenant(subject, "acme");
    let far =
        PooledDatabase { cluster: sample::cluster("eu-1"), created_at: sample::at(3), ..pooled(subject) };
    let in_work = PooledDatabase { created_at: sample::at(1) + MOMENT, ..pooled(subject) };
    let taken = ready(subject, 2);
    let lease = ordered(subject, &far, until());
    make_ready(subject, lease, sample::ODD_TEXT).expect("the lease holds");
    ordered(subject, &in_work, sample::at(60) + MOMENT);
    assert_eq!(take(subject, acme).map(|taken| taken.database), Some(taken.clone()));

    let expected = [
        (in_work, PoolState::InWork { until: sample::at(60) + MOMENT }),
        (taken, PoolState::Taken { tenant: acme, schema: "1".to_owned() }),
        (far, PoolState::Ready { schema: sample::ODD_TEXT.to_owned() }),
    ];
    assert_eq!(all(subject), expected);
}

/// Two databases cannot have one id.
pub fn an_id_that_is_taken_is_refused(subject: &dyn Subject) {
    let database = pooled(subject);
    let lease = ordered(subject, &database, until());
    assert!(write(subject, |tx| tx.pool().insert(&database, sample::at(99))).is_err());
    assert_eq!(all(subject), [(database, PoolState::InWork { until: until() })]);
    make_ready(subject, lease, "1").expect("the first one's lease is unharmed");
}

/// Who waits for a database gets the one that has waited longest, and it is the tenant's alone.
pub fn the_oldest_that_is_ready_is_taken(subject: &dyn Subject) {
    let [last, first, middle] = [30, 10, 20].map(|second| ready(subject, second));
    ordered(subject, &PooledDatabase { created_at: sample::at(1), ..pooled(subject) }, until());
    for (slug, expected) in
        [("one", Some(first)), ("two", Some(middle)), ("three", Some(last)), ("four", None)]
    {
        let tenant = tenant(subject, slug);
        let taken = expected.map(|database| TakenDatabase { database, schema: "1".to_owned() });
        assert_eq!(take(subject, tenant), taken, "{slug}");
        assert_eq!(taken_by(subject, tenant), taken, "{slug}");
    }
}

/// A database of another schema, or on another server, is no use.
pub fn only_what_fits_is_taken(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let database = ready(subject, 0);
    let (main, far) = (ClusterName::default(), sample::cluster("eu-1"));
    assert_eq!(take_where(subject, &far, "1", acme), None);
    assert_eq!(take_where(subject, &main, "2", acme), None);
    assert_eq!(take_where(subject, &main, "", acme), None);
    let there = PooledDatabase { cluster: far.clone(), ..pooled(subject) };
    let lease = ordered(subject, &there, until());
    make_ready(subject, lease, "1").expect("the lease holds");
    assert_eq!(take_where(subject, &far, "1", acme).map(|taken| taken.database), Some(there));
    assert_eq!(take_where(subject, &main, "1", other).map(|taken| taken.database), Some(database));
}

/// What is being made, brought up to date or removed is not taken, however long its maker has been silent.
pub fn what_is_in_work_is_not_taken(subject: &dyn Subject) {
    let acme = tenant(subject, "acme");
    let database = pooled(subject);
    let lease = ordered(subject, &database, sample::at(-500));
    assert_eq!(take(subject, acme), None);
    make_ready(subject, lease, "1").expect("the lease holds");
    let lease = claim_ready(subject, database.id).expect("it is ready");
    assert_eq!(take(subject, acme), None);
    make_ready(subject, lease, "1").expect("the lease holds");
    assert_eq!(take(subject, acme).map(|taken| taken.database), Some(database));
}

/// A tenant's run that takes again, after a crash say, is answered what it took before, even if it asks for something else
/// by now.
pub fn what_was_taken_before_is_answered_again(subject: &dyn Subject) {
    let acme = tenant(subject, "acme");
    ready(subject, 2);
    ready(subject, 3);
    let taken = take(subject, acme);
    assert!(taken.is_some());
    ready(subject, 1);
    assert_eq!(take(subject, acme), taken);
    assert_eq!(take_where(subject, &ClusterName::default(), "2", acme), taken);
    assert_eq!(take_where(subject, &sample::cluster("eu-1"), "1", acme), taken);
    assert_eq!(taken_by(subject, acme), taken);
    let takers = all(subject).into_iter().filter(|(_, state)| matches!(state, PoolState::Taken { .. }));
    assert_eq!(takers.count(), 1);
}

/// Who has taken nothing has nothing.
pub fn nothing_is_taken_by_others(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    ready(subject, 0);
    assert_eq!(taken_by(subject, acme), None);
    let taken = take(subject, acme);
    assert_eq!((taken_by(subject, other), taken_by(subject, sample::id())), (None, None));
    assert_eq!(take(subject, other), None);
    assert_eq!(taken_by(subject, acme), taken);
}

/// Who takes a database and then fails has not taken it.
pub fn a_taking_that_is_rolled_back_never_was(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let database = ready(subject, 0);
    let outcome = write(subject, |tx| {
        assert!(tx.pool().take(&ClusterName::default(), "1", acme)?.is_some());
        Err::<(), _>(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(taken_by(subject, acme), None);
    assert_eq!(take(subject, other).map(|taken| taken.database), Some(database));
}

/// What has become a tenant's own is forgotten, and nothing else; forgetting it once more changes nothing.
pub fn forgetting_forgets_what_the_tenant_has_taken(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let [_, of_other, left] = [1, 2, 3].map(|second| ready(subject, second));
    let in_work = PooledDatabase { created_at: sample::at(4), ..pooled(subject) };
    ordered(subject, &in_work, until());
    assert!(take(subject, acme).is_some() && take(subject, other).is_some());
    for _ in 0..2 {
        write(subject, |tx| tx.pool().forget_taken(acme)).expect("the database is forgotten");
        assert_eq!(taken_by(subject, acme), None);
        let known: Vec<_> = all(subject).into_iter().map(|(database, _)| database).collect();
        assert_eq!(known, [of_other.clone(), left.clone(), in_work.clone()]);
    }
    assert_eq!(take(subject, acme).map(|taken| taken.database), Some(left), "it may take another one");
    assert_eq!(taken_by(subject, other).map(|taken| taken.database), Some(of_other));
}

/// Many runs at once get a database each, and none is given twice.
pub fn concurrent_takers_get_different_databases(subject: &dyn Subject) {
    const TAKERS: usize = 8;
    const EACH: usize = 4;
    let ready: BTreeSet<_> = (0..TAKERS * EACH).map(|_| ready(subject, 0).id).collect();
    let tenants: Vec<Vec<_>> = (0..TAKERS)
        .map(|taker| (0..EACH).map(|i| tenant(subject, &format!("tenant-{taker}-{i}"))).collect())
        .collect();
    let taken = Mutex::new(Vec::new());
    let start = Barrier::new(TAKERS);
    std::thread::scope(|scope| {
        for tenants in &tenants {
            let (taken, start) = (&taken, &start);
            scope.spawn(move || {
                start.wait();
                for tenant in tenants {
                    // Taking may come back empty-handed while others hold what is ready; it may never fail.
                    let attempts = (0..1_000).find_map(|_| take(subject, *tenant));
                    taken.lock().expect("no panic").extend(attempts.map(|taken| taken.database.id));
                }
            });
        }
    });
    let taken = taken.into_inner().expect("no panic");
    assert_eq!(taken.len(), TAKERS * EACH);
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), ready);
}

/// Two workers on one tenant, one of whom does not know yet that it was replaced, never take two databases.
pub fn concurrent_takers_for_one_tenant_take_one_database(subject: &dyn Subject) {
    for i in 0..5 {
        let tenant = tenant(subject, &format!("tenant-{i}"));
        for _ in 0..4 {
            ready(subject, 0);
        }
        let start = Barrier::new(4);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        write(subject, |tx| tx.pool().take(&ClusterName::default(), "1", tenant))
                    })
                })
                .collect();
            takers.into_iter().map(|taker| taker.join().expect("no panic")).collect()
        });
        // The slower ones may be refused, but not given something else.
        let taken: BTreeSet<_> = outcomes.iter().flatten().flatten().map(|taken| taken.database.id).collect();
        assert_eq!(taken.len(), 1, "{outcomes:?}");
        let of_tenant = all(subject)
            .into_iter()
            .filter(|(_, state)| matches!(state, PoolState::Taken { tenant: taker, .. } if *taker == tenant));
        assert_eq!(of_tenant.count(), 1);
    }
}
