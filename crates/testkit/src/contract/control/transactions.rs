//! Facts about units of work of a control store.

use tenantry_domain::tenant::Tenant;
use tenantry_ports::{Access, StoreError, Verdict};

use crate::contract::Subject;
use crate::sample;

fn is_there(subject: &dyn Subject, tenant: &Tenant) -> bool {
    subject.control().read(|tx| tx.tenants().get(tenant.id)).expect("a look-up").is_some()
}

/// What one unit of work wrote is there together, run and tenant alike.
pub fn a_commit_keeps_everything(subject: &dyn Subject) {
    let (tenant, key) = (sample::tenant("acme"), sample::api_key(None));
    let run = sample::run(&tenant);
    subject
        .control()
        .write(|tx| {
            tx.tenants().insert(&tenant)?;
            tx.runs().insert(&run, None)?;
            tx.api_keys().insert(&key)?;
            assert_eq!(tx.tenants().get(tenant.id)?, Some(tenant.clone()), "it sees what it wrote");
            Ok::<_, StoreError>(())
        })
        .expect("everything is new");
    assert!(is_there(subject, &tenant));
    let (runs, found) = subject
        .control()
        .read(|tx| Ok::<_, StoreError>((tx.runs().of_tenant(tenant.id)?, tx.api_keys().find(&key.lookup)?)))
        .expect("a look-up");
    assert_eq!((runs, found), (vec![run], Some(key)));
}

/// An error of the caller's own takes everything back, and reaches the caller unchanged.
pub fn an_error_keeps_nothing(subject: &dyn Subject) {
    #[derive(Debug)]
    enum Reason {
        Mine,
        Store,
    }
    impl From<StoreError> for Reason {
        fn from(_: StoreError) -> Self {
            Self::Store
        }
    }
    let tenant = sample::tenant("acme");
    let run = sample::run(&tenant);
    let outcome: Result<(), Reason> = subject.control().write(|tx| {
        tx.tenants().insert(&tenant)?;
        tx.runs().insert(&run, None)?;
        Err(Reason::Mine)
    });
    assert!(matches!(outcome, Err(Reason::Mine)), "{outcome:?}");
    assert!(!is_there(subject, &tenant));
    let runs = subject.control().read(|tx| tx.runs().of_tenant(tenant.id)).expect("a look-up");
    assert!(runs.is_empty());
}

/// Who swallows a store error and wants to commit all the same is answered with an error, and nothing is kept:
/// neither what came before the error nor what came after it.
pub fn a_swallowed_error_dooms_the_transaction(subject: &dyn Subject) {
    let held = sample::tenant("held");
    subject.control().write(|tx| tx.tenants().insert(&held)).expect("the tenant is added");
    let (before, after) = (sample::tenant("before"), sample::tenant("after"));
    let outcome: Result<(), StoreError> = subject.control().write(|tx| {
        tx.tenants().insert(&before)?;
        assert!(tx.tenants().insert(&sample::tenant("held")).is_err());
        let _ = tx.tenants().insert(&after);
        Ok(())
    });
    assert!(outcome.is_err());
    assert!(!is_there(subject, &before) && !is_there(subject, &after));
}

/// `Stale` dooms like any other error, although the database itself has nothing against what was tried.
pub fn a_swallowed_stale_dooms_the_transaction_too(subject: &dyn Subject) {
    let (before, mut unknown) = (sample::tenant("before"), sample::tenant("unknown"));
    unknown.version += 1;
    let outcome: Result<(), StoreError> = subject.control().write(|tx| {
        tx.tenants().insert(&before)?;
        assert!(matches!(tx.tenants().update(&unknown), Err(StoreError::Stale)));
        Ok(())
    });
    assert!(outcome.is_err());
    assert!(!is_there(subject, &before));
}

/// A doomed transaction harms nobody after it.
pub fn a_doomed_transaction_leaves_the_store_working(subject: &dyn Subject) {
    for i in 0..20 {
        let tenant = sample::tenant(&format!("tenant-{i}"));
        let outcome: Result<(), StoreError> = subject.control().write(|tx| {
            tx.tenants().insert(&tenant)?;
            tx.tenants().insert(&tenant)
        });
        assert!(outcome.is_err());
        assert!(!is_there(subject, &tenant));
        subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("the store works");
    }
}

/// A unit of work that said it only reads cannot write.
pub fn a_reader_that_writes_is_refused(subject: &dyn Subject) {
    let tenant = sample::tenant("acme");
    let outcome = subject.control().read(|tx| tx.tenants().insert(&tenant));
    assert!(outcome.is_err());
    assert!(!is_there(subject, &tenant));
}

/// A body that asks for a rollback without an error gets one, and that is no error.
pub fn a_rollback_by_verdict_keeps_nothing(subject: &dyn Subject) {
    let tenant = sample::tenant("acme");
    let mut calls = 0;
    let outcome = subject.control().transact(Access::Write, &mut |tx| {
        calls += 1;
        tx.tenants().insert(&tenant).expect("the tenant is new");
        Verdict::Rollback
    });
    assert!(outcome.is_ok());
    assert_eq!(calls, 1, "a body runs once");
    assert!(!is_there(subject, &tenant));
}

/// A panic in a unit of work keeps nothing and does not cripple the store.
pub fn a_panic_keeps_nothing(subject: &dyn Subject) {
    let tenant = sample::tenant("acme");
    let control = subject.control();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), StoreError> = control.write(|tx| {
            tx.tenants().insert(&tenant)?;
            std::panic::resume_unwind(Box::new("in the middle of it"))
        });
    }));
    assert!(panicked.is_err());
    assert!(!is_there(subject, &tenant));
    subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("the store works");
}
