//! Facts about units of work of a tenant store.

use tenantry_domain::tenant::Settings;
use tenantry_ports::{Access, StoreError, Verdict};

use crate::contract::{Subject, store};
use crate::sample;

/// An account, its event and the stored answer are there together or not at all.
pub fn a_write_its_event_and_its_answer_commit_together(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    store.write(|tx| tx.configs().insert(&config)).expect("the config is added");
    for fails in [true, false] {
        let account = sample::account_of(scope.tenant(), &config);
        let outcome = store.write(|tx| {
            let head = tx.log().lock()?;
            tx.accounts().insert(std::slice::from_ref(&account))?;
            tx.log().append(&sample::log_entries(scope.tenant(), head, 1))?;
            tx.idempotency().insert(&[sample::response("key")], sample::now())?;
            if fails { Err(StoreError::Stale) } else { Ok(()) }
        });
        assert_eq!(outcome.is_err(), fails);
        let there = store
            .read(|tx| {
                Ok::<_, StoreError>((
                    tx.accounts().get(&[account.id])?.len(),
                    tx.log().page(0, 10)?.len(),
                    tx.idempotency().find(&["key"], sample::now())?.len(),
                ))
            })
            .expect("a look-up");
        assert_eq!(there, if fails { (0, 0, 0) } else { (1, 1, 1) });
    }
}

/// Who swallows a store error and commits all the same is answered with an error, and nothing is kept.
pub fn a_swallowed_error_dooms_the_transaction(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    store.write(|tx| tx.configs().insert(&config)).expect("the config is added");
    let outcome: Result<(), StoreError> = store.write(|tx| {
        tx.settings().put(&Settings::default())?;
        assert!(tx.configs().insert(&config).is_err());
        let _ = tx.configs().insert(&sample::stored_config("50k-eval-v1", 1));
        Ok(())
    });
    assert!(outcome.is_err());
    let (settings, heads) = store
        .read(|tx| Ok::<_, StoreError>((tx.settings().get()?, tx.configs().page(None, 10)?)))
        .expect("a look-up");
    assert_eq!((settings, heads.len()), (None, 1));
}

/// A doomed unit of work takes down none of those that others are doing at the time.
pub fn a_doomed_transaction_harms_no_neighbour(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let taken = sample::stored_config("taken", 1);
    store.write(|tx| tx.configs().insert(&taken)).expect("the config is added");
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let (store, taken) = (&store, &taken);
            threads.spawn(move || {
                for i in 0..10 {
                    let doomed = store.write(|tx| {
                        tx.configs().insert(&sample::stored_config(&format!("lost-{thread}-{i}"), 1))?;
                        tx.configs().insert(taken)
                    });
                    assert!(doomed.is_err());
                    store
                        .write(|tx| {
                            tx.configs().insert(&sample::stored_config(&format!("kept-{thread}-{i}"), 1))
                        })
                        .expect("the neighbour commits");
                }
            });
        }
    });
    let heads = store.read(|tx| tx.configs().page(None, 1000)).expect("a page");
    assert_eq!(heads.len(), 81);
    assert!(heads.iter().all(|head| !head.id.as_str().starts_with("lost")));
}

/// A unit of work that said it only reads can neither write nor lock the log.
pub fn a_reader_that_writes_is_refused(subject: &dyn Subject) {
    let (store, _) = store(subject);
    assert!(store.read(|tx| tx.settings().put(&Settings::default())).is_err());
    assert_eq!(store.read(|tx| tx.settings().get()).expect("a look-up"), None);
}

/// A writer commits while a reader is at work, and the reader goes on, with the state before or after it.
pub fn a_reader_and_a_writer_do_not_wait_for_each_other(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    let count = |heads: Vec<_>| heads.len();
    store
        .read(|tx| {
            assert_eq!(tx.configs().page(None, 10).map(count)?, 0);
            std::thread::scope(|threads| {
                let writer = threads.spawn(|| store.write(|tx| tx.configs().insert(&config)));
                writer.join().expect("no panic").expect("the config is added");
            });
            assert!(tx.configs().page(None, 10).map(count)? <= 1);
            Ok::<_, StoreError>(())
        })
        .expect("a look-up");
    assert_eq!(store.read(|tx| tx.configs().page(None, 10)).map(count).expect("a page"), 1);
}

/// A rollback that is asked for is no error.
pub fn a_rollback_by_verdict_keeps_nothing(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut calls = 0;
    let outcome = store.transact(Access::Write, &mut |tx| {
        calls += 1;
        tx.settings().put(&Settings::default()).expect("the settings are written");
        Verdict::Rollback
    });
    assert!(outcome.is_ok() && calls == 1);
    assert_eq!(store.read(|tx| tx.settings().get()).expect("a look-up"), None);
}

/// A panic in a unit of work keeps nothing and does not cripple the store.
pub fn a_panic_keeps_nothing(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), StoreError> = store.write(|tx| {
            tx.settings().put(&Settings::default())?;
            std::panic::resume_unwind(Box::new("in the middle of it"))
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(store.read(|tx| tx.settings().get()).expect("a look-up"), None);
    store.write(|tx| tx.settings().put(&Settings::default())).expect("the store works");
}
