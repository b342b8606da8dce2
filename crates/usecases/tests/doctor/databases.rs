//! Databases: those that should not be there, and those that should.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, DatabaseName, Lifecycle, Slug, Status};
use tenantry_ports::{DatabaseFault, PoolState, StoreError, TenantDatabases as _, TenantScope};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::doctor::{CureError, Remedy, Severity, cure};
use tenantry_usecases::tenants::{self, InitTenant, Placement};

use super::support::{acme, active, progress, queued, status, tend, with_pool, work_off};
use super::{SECOND, cured, of, the, wrong};

/// A tenant that is gone, with its scope.
fn deleted(test: &TestPlatform) -> (TenantId, TenantScope) {
    let scope = active(test);
    tenants::deprovision(&test.platform, of(scope.tenant()), Some(TimeDelta::zero())).unwrap();
    work_off(test);
    assert_eq!(status(test, scope.tenant()), Status::Deleted);
    (scope.tenant(), scope)
}

#[test]
fn a_database_that_came_after_its_tenant_was_gone_is_dropped() {
    let test = TestPlatform::new();
    let (_, scope) = deleted(&test);
    // As PostgreSQL does that goes on after its client died.
    test.world.databases().create(&scope, &sample::permitted).unwrap();
    assert_eq!(wrong(&test), [], "it may be on its way for as long as a lease");
    test.clock.advance(test.platform.policy.lease + SECOND);
    let orphan = the(&test, "orphan_database", Severity::Error);
    assert!(orphan.what.contains("which is Deleted"), "{orphan:?}");
    cured(&test, &orphan);
    assert!(test.world.existing().is_empty());
}

#[test]
fn an_orphan_whose_tenant_moved_on_is_left_alone() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = queued(&test);
    work_off(&test);
    let tenant = progress(&test, id).tenant;
    test.world.databases().create(&TenantScope::leftover(&tenant).unwrap(), &sample::permitted).unwrap();
    test.clock.advance(test.platform.policy.lease + SECOND);
    let orphan = the(&test, "orphan_database", Severity::Error);

    tenants::retry(&test.platform, of(id)).unwrap();
    let remedy = orphan.remedy.unwrap();
    assert!(matches!(cure(&test.platform, &remedy, 1), Err(CureError::Changed)));
    work_off(&test);
    assert_eq!((status(&test, id), test.world.existing().len()), (Status::Active, 1));
}

#[test]
fn an_orphan_whose_tenant_moves_on_at_the_last_moment_is_left_alone() {
    let test = TestPlatform::new();
    let (id, scope) = deleted(&test);
    test.world.databases().create(&scope, &sample::permitted).unwrap();
    test.clock.advance(test.platform.policy.lease + SECOND);
    let remedy = the(&test, "orphan_database", Severity::Error).remedy.unwrap();
    let control = test.platform.control.clone();
    // Between the look and the lock under which the database is dropped.
    test.databases.before(DatabaseCall::Remove, move || {
        control
            .write::<_, StoreError>(|tx| {
                let mut tenant = tx.tenants().get(id)?.unwrap();
                let now = tenant.updated_at;
                tenant.enter(Lifecycle::Active { since: now }, now);
                tx.tenants().update(&tenant)
            })
            .unwrap();
    });
    assert!(cure(&test.platform, &remedy, 1).is_err());
    assert_eq!(test.world.existing().len(), 1, "it is the tenant's again");
}

#[test]
fn a_database_of_somebody_unknown_is_reported_and_never_dropped() {
    let test = TestPlatform::new();
    let stranger = sample::scope("stranger");
    test.world.databases().create(&stranger, &sample::permitted).unwrap();
    test.clock.advance(TimeDelta::days(1));
    let symptom = the(&test, "unknown_owner", Severity::Warning);
    assert_eq!(symptom.remedy, None);
    assert!(symptom.what.contains(&stranger.tenant().to_string()), "{symptom:?}");
}

#[test]
fn a_tenant_without_its_database_is_missing_it_whatever_state_it_is_in() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.world.databases().remove(&scope, &sample::permitted).unwrap();
    let missing = the(&test, "missing_database", Severity::Error);
    assert_eq!((&*missing.place, missing.remedy), ("tenant acme", None));
    tenants::suspend(&test.platform, of(scope.tenant())).unwrap();
    the(&test, "missing_database", Severity::Error);
    tenants::deprovision(&test.platform, of(scope.tenant()), None).unwrap();
    the(&test, "missing_database", Severity::Error);
}

#[test]
fn a_tenants_database_that_was_half_removed_is_named_and_left_alone() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.world.ruin(scope.database());
    let ruined = the(&test, "ruined_database", Severity::Error);
    assert_eq!((&*ruined.place, ruined.remedy), ("tenant acme", None));
    let next = ruined.next.unwrap();
    assert!(next.contains("DROP DATABASE \"ecom_tenant_acme\"") && next.contains("from a backup"), "{next}");
    tenants::deprovision(&test.platform, of(scope.tenant()), Some(TimeDelta::zero())).unwrap();
    work_off(&test);
    assert_eq!((status(&test, scope.tenant()), test.world.existing().len()), (Status::Deleted, 0));
}

#[test]
fn a_foreign_database_in_a_tenants_place_is_no_missing_one() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.world.databases().remove(&scope, &sample::permitted).unwrap();
    test.world.make_foreign(scope.database());
    assert_eq!(the(&test, "foreign_database", Severity::Error).remedy, None);
}

#[test]
fn a_server_that_the_settings_no_longer_name_is_reported_once() {
    let mut test = TestPlatform::new();
    let europe = sample::cluster("eu-1");
    let both = vec![ClusterName::default(), europe.clone()];
    let placement = Placement::new(both, BTreeMap::new()).unwrap();
    Arc::get_mut(&mut test.platform).unwrap().policy.placement = placement;
    for slug in ["acme", "beta"] {
        let slug = Slug::new(slug).unwrap();
        let wish = InitTenant { slug, cluster: Some(europe.clone()), ..acme() };
        let announced = tenants::init(&test.platform, wish).unwrap();
        tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
    }
    work_off(&test);
    assert_eq!(wrong(&test), []);
    Arc::get_mut(&mut test.platform).unwrap().policy.placement = Placement::default();
    let codes: Vec<_> = wrong(&test).iter().map(|symptom| (symptom.code, symptom.what.clone())).collect();
    let what = "2 databases there, and the settings do not say where that is".to_owned();
    assert_eq!(codes, [("unknown_server", what)]);
}

#[test]
fn of_a_server_that_cannot_be_asked_nothing_else_is_said_and_the_others_are_compared() {
    let mut test = TestPlatform::new();
    let both = vec![ClusterName::default(), sample::cluster("eu-1")];
    let placement = Placement::new(both.clone(), BTreeMap::new()).unwrap();
    Arc::get_mut(&mut test.platform).unwrap().policy.placement = placement;
    for (slug, cluster) in ["acme", "beta"].into_iter().zip(both) {
        let wish = InitTenant { slug: Slug::new(slug).unwrap(), cluster: Some(cluster), ..acme() };
        let announced = tenants::init(&test.platform, wish).unwrap();
        tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
        work_off(&test);
        let tenant = progress(&test, announced.tenant).tenant;
        let scope = TenantScope::serving(&tenant).unwrap();
        test.world.databases().remove(&scope, &sample::permitted).unwrap();
    }
    let found = || {
        let mut found: Vec<_> =
            wrong(&test).into_iter().map(|symptom| (symptom.code, symptom.place)).collect();
        found.sort();
        found
    };
    let missing = |slug: &str| ("missing_database", format!("tenant {slug}"));
    assert_eq!(found(), [missing("acme"), missing("beta")]);
    test.databases.fail(DatabaseCall::Inventory, FailureMoment::BeforeEffect, DatabaseFault::Passing, 2);
    assert_eq!(found(), [("databases_unlisted", "server main".to_owned()), missing("beta")]);
}

#[test]
fn a_database_without_a_tag_is_reported() {
    let test = TestPlatform::new();
    test.world.make_foreign(sample::scope("nobody").database());
    assert_eq!(the(&test, "untagged_database", Severity::Warning).place, "ecom_tenant_nobody");
}

#[test]
fn a_half_made_database_belongs_to_whom_its_name_says() {
    let test = TestPlatform::new();
    let id = queued(&test);
    let half_made = |id: TenantId| {
        let name = format!("ecom_tenant_~new_{}", id.uuid().simple());
        test.world.make_foreign(&DatabaseName::new(name).unwrap());
    };
    half_made(id);
    assert_eq!(wrong(&test), [], "it is being made");
    work_off(&test);
    assert_eq!(the(&test, "misplaced_database", Severity::Warning).remedy, None);
    tenants::deprovision(&test.platform, of(id), Some(TimeDelta::zero())).unwrap();
    work_off(&test);
    test.clock.advance(test.platform.policy.lease + SECOND);
    assert!(the(&test, "orphan_database", Severity::Error).remedy.is_some());
    half_made(sample::tenant("stranger").id);
    let codes: Vec<_> = wrong(&test).iter().map(|symptom| symptom.code).collect();
    assert!(codes.contains(&"unknown_owner"), "{codes:?}");
}

#[test]
fn a_pooled_database_that_is_not_there_is_made_again() {
    let test = with_pool(2);
    tend(&test);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    test.world.databases().remove(&TenantScope::pooled(&pool[0].0), &sample::permitted).unwrap();
    let missing = the(&test, "missing_pooled_database", Severity::Warning);
    cured(&test, &missing);
    assert_eq!(test.world.existing().len(), 2);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    assert!(pool.iter().all(|(_, state)| matches!(state, PoolState::Ready { .. })));
}

#[test]
fn a_pooled_database_that_was_half_removed_is_no_ready_one() {
    let test = with_pool(1);
    tend(&test);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    test.world.ruin(&pool[0].0.database);
    let missing = the(&test, "missing_pooled_database", Severity::Warning);
    assert!(missing.what.contains("half removed"), "{missing:?}");
    cured(&test, &missing);
    assert_eq!(test.world.existing().len(), 1);
}

#[test]
fn databases_that_are_behind_are_named_with_what_they_have_and_migrated() {
    let test = with_pool(1);
    active(&test);
    tend(&test);
    test.world.set_schema("2");
    let behind = the(&test, "behind_in_schema", Severity::Warning);
    assert!(
        behind.what.starts_with("schema 2 is missing in 2 databases: acme (1), ecom_tenant_~pool_"),
        "{behind:?}"
    );
    cured(&test, &behind);
}

#[test]
fn a_remedy_that_does_not_help_says_so() {
    let test = TestPlatform::new();
    active(&test);
    test.world.set_schema("2");
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let error = cure(&test.platform, &Remedy::Migrate, 1).unwrap_err();
    assert!(error.to_string().starts_with("1 database could not be migrated"), "{error}");
    the(&test, "behind_in_schema", Severity::Warning);
}
