//! A log of which the beginning was let go of leaves and comes back as it is.

use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform};
use tenantry_usecases::transfer::{self, ImportTenant};
use tenantry_usecases::upkeep::turn;
use tenantry_usecases::{Log, Policy, audit};

use super::{acme, exported, flaws, import, lines, provision, verified};

/// The archive of an acme whose log begins after entry `.1`.
fn aged() -> (Vec<u8>, i64) {
    let policy = Policy { event_retention: Some(TimeDelta::days(30)), ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    let tenant = acme(&test);
    let scope = TenantScope::serving(&tenant).unwrap();
    // Nobody delivers anything here.
    let store = test.platform.stores.open(&scope).unwrap();
    let moved = store.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?.sequence;
        let endpoints = tx.webhooks().page(None, 10)?;
        endpoints.iter().try_for_each(|endpoint| tx.webhooks().move_to(endpoint.id, head))
    });
    moved.unwrap();
    test.clock.advance(TimeDelta::days(30));
    provision(&test, &scope, "user-9");
    test.clock.advance(TimeDelta::seconds(1));
    let removed = turn(&test.platform, "worker").unwrap().unwrap().events;
    assert!(removed > 0);
    (exported(&test, &tenant), i64::try_from(removed).unwrap())
}

#[test]
fn a_log_that_begins_later_comes_back_with_its_beginning() {
    let (archive, floor) = aged();
    let there = TestPlatform::new();
    assert_eq!(flaws(&there, &archive), [""; 0]);
    assert_eq!(verified(&there, &archive).head.log_begins_after.unwrap().sequence, floor);
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let audit = audit::verify(&there.platform, &Log::Tenant(scope), &[]).unwrap();
    assert_eq!((audit.first, audit.flaw), (floor + 1, None));
    assert!(audit.entries > 0);
}

#[test]
fn what_is_interrupted_after_the_beginning_was_set_is_carried_on() {
    let (archive, floor) = aged();
    let there = TestPlatform::new();
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    super::work_off(&there);
    let cut = &archive[..archive.len() / 2];
    transfer::complete(&there.platform, id, &whole, cut).expect_err("it is not what was verified");
    let tenant = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let audit = audit::verify(&there.platform, &Log::Tenant(scope), &[]).unwrap();
    assert_eq!((audit.first, audit.flaw), (floor + 1, None));
}

#[test]
fn an_archive_that_says_another_beginning_is_refused() {
    let (archive, floor) = aged();
    let test = TestPlatform::new();
    let mut changed = lines(&archive);
    changed[0] = changed[0].replace(&format!("\"sequence\":{floor}"), &format!("\"sequence\":{}", floor - 1));
    let found = flaws(&test, &super::joined(&changed)).join("\n");
    assert!(found.contains("its number does not follow the one before"), "{found}");
}
