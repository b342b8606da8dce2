//! Facts about making a pooled database a tenant's.

use std::sync::Barrier;

use tenantry_domain::tenant::Settings;
use tenantry_ports::{DatabaseFault, PooledDatabase, Presence, TenantScope};

use super::{is_furnished, presence, ready_to_adopt};
use crate::contract::{Subject, pooled, scope};
use crate::sample::{self, permitted};

/// An adopted database is the tenant's, with everything in it and under the tenant's name alone.
pub fn an_adopted_database_is_the_tenants_with_all_that_is_in_it(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    assert!(databases.adopt(&pool, &tenant, &permitted).expect("it is adopted"));
    assert_eq!((presence(subject, &pool), presence(subject, &tenant)), (Presence::Absent, Presence::Own));
    assert!(subject.stores().open(&pool).is_err(), "it is the pool's no more");
    assert!(is_furnished(subject, &tenant));
    assert_eq!(databases.pending(&tenant).expect("a count"), 0);
    assert_eq!(databases.migrate(&tenant).expect("nothing is left to do"), 0);
    let store = subject.stores().open(&tenant).expect("the database is opened");
    store.write(|tx| tx.users().insert(&sample::user("first"), "$hash")).expect("it can be used");
}

/// Adopting twice, as after a crash, is adopting once.
pub fn adopting_may_be_repeated(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    for _ in 0..3 {
        assert!(databases.adopt(&pool, &tenant, &permitted).expect("it is adopted"));
        assert_eq!(presence(subject, &tenant), Presence::Own);
        assert!(is_furnished(subject, &tenant), "open or not");
    }
    databases.create(&tenant, &permitted).expect("creating it leaves it as it is");
    assert!(is_furnished(subject, &tenant));
}

/// Where nothing is left to adopt, the answer says so, and the road to a database is as free as before.
pub fn what_is_not_there_is_not_adopted(subject: &dyn Subject) {
    let (databases, tenant) = (subject.databases(), scope(subject, "acme"));
    let never = TenantScope::pooled(&pooled(subject));
    assert!(!databases.adopt(&never, &tenant, &permitted).expect("an answer"));
    assert_eq!((presence(subject, &never), presence(subject, &tenant)), (Presence::Absent, Presence::Absent));

    let (gone, other) = ready_to_adopt(subject);
    databases.remove(&gone, &permitted).expect("the database is dropped");
    assert!(!databases.adopt(&gone, &other, &permitted).expect("an answer"));
    assert_eq!(presence(subject, &other), Presence::Absent);
    sample::opened(&*databases, &*subject.stores(), &tenant);
}

/// What has the pooled database's name and another one's tag is not adopted.
pub fn what_is_not_the_pools_is_not_adopted(subject: &dyn Subject) {
    let (databases, tenant) = (subject.databases(), scope(subject, "acme"));
    let owner = pooled(subject);
    let usurper = TenantScope::pooled(&PooledDatabase { id: sample::uuid(), ..owner.clone() });
    let owner = TenantScope::pooled(&owner);
    databases.create(&owner, &permitted).expect("the database is created");
    assert!(!databases.adopt(&usurper, &tenant, &permitted).expect("an answer"));
    assert_eq!((presence(subject, &owner), presence(subject, &tenant)), (Presence::Own, Presence::Absent));
}

/// A tenant that has its database keeps it, and needs none from the pool.
pub fn a_tenant_that_has_a_database_keeps_it(subject: &dyn Subject) {
    let (databases, tenant) = (subject.databases(), scope(subject, "acme"));
    sample::opened(&*databases, &*subject.stores(), &tenant);
    let never = TenantScope::pooled(&pooled(subject));
    assert!(databases.adopt(&never, &tenant, &permitted).expect("an answer"));
    assert_eq!(presence(subject, &tenant), Presence::Own);
    subject.stores().open(&tenant).expect("the database is opened");
}

/// An adopted database takes nobody's place: neither a stranger's nor another tenant's.
pub fn adopting_displaces_nobody(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    subject.make_foreign(tenant.database());
    let refused = databases.adopt(&pool, &tenant, &permitted).expect_err("the name is taken");
    assert_eq!(refused.fault, DatabaseFault::Foreign, "{refused}");
    assert_eq!((presence(subject, &pool), presence(subject, &tenant)), (Presence::Own, Presence::Foreign));

    let (first, second) = (scope(subject, "other"), scope(subject, "other"));
    databases.create(&first, &permitted).expect("the database is created");
    let refused = databases.adopt(&pool, &second, &permitted).expect_err("the name is taken");
    assert_eq!(refused.fault, DatabaseFault::Foreign, "{refused}");
    assert_eq!((presence(subject, &pool), presence(subject, &first)), (Presence::Own, Presence::Own));
    assert!(is_furnished(subject, &pool));
}

/// Once it is adopted, unmaking what was in the pool unmakes nothing.
pub fn removing_the_pooled_database_leaves_the_adopted_one(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    databases.adopt(&pool, &tenant, &permitted).expect("it is adopted");
    databases.remove(&pool, &permitted).expect("there is nothing to drop");
    assert_eq!(presence(subject, &tenant), Presence::Own);
    assert!(is_furnished(subject, &tenant));
}

/// An adopted database is dropped like any other, and what the tenant gets next begins anew, with a login of its own.
pub fn an_adopted_database_is_dropped_and_made_anew(subject: &dyn Subject) {
    let (databases, (pool, adopted)) = (subject.databases(), ready_to_adopt(subject));
    databases.adopt(&pool, &adopted, &permitted).expect("it is adopted");
    let old = subject.stores().open(&adopted).expect("the database is opened");
    for _ in 0..2 {
        databases.remove(&adopted, &permitted).expect("the database is dropped");
        assert_eq!(presence(subject, &adopted), Presence::Absent);
    }
    assert!(old.write(|tx| tx.settings().put(&Settings::default())).is_err(), "it is gone for everybody");
    assert!(!databases.adopt(&pool, &adopted, &permitted).expect("an answer"));

    let next = scope(subject, "acme");
    assert_eq!(next.database(), adopted.database());
    let store = sample::opened(&*databases, &*subject.stores(), &next);
    assert_eq!(store.read(|tx| tx.settings().get()).expect("a look-up"), None);
}

/// Workers that adopt the same database for the same tenant at once both succeed or are told to try again.
pub fn concurrent_adoptions_agree(subject: &dyn Subject) {
    let (pool, tenant) = ready_to_adopt(subject);
    let start = Barrier::new(4);
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    start.wait();
                    subject.databases().adopt(&pool, &tenant, &permitted)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
    for outcome in &outcomes {
        match outcome {
            Ok(there) => assert!(there, "nobody is told that there was none: {outcomes:?}"),
            Err(error) => assert_eq!(error.fault, DatabaseFault::Passing, "{outcomes:?}"),
        }
    }
    assert_eq!((presence(subject, &pool), presence(subject, &tenant)), (Presence::Absent, Presence::Own));
    assert!(is_furnished(subject, &tenant));
}
