//! Who may do what: a table.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use support::{acme_with_admin, queued, typed, work_off};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::{Lifecycle, Status, Tenant};
use tenantry_ports::{AccessClaims, Clock, Scope};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::access::{Denied, Need, Principal, admit, authenticate, authorize};
use tenantry_usecases::api_keys::{self, NewKey, NewKeyError};
use tenantry_usecases::sign_in::{LoginError, login_nowhere};
use tenantry_usecases::tenants::{self, Target, TenantRef};

fn person(tenant: &Tenant, role: Role) -> Principal {
    Principal::Person(AccessClaims {
        user: sample::id(),
        tenant: tenant.id,
        role,
        session: sample::id(),
        issued_at: sample::now(),
        expires_at: sample::at(600),
    })
}

fn machine(tenant: &Tenant, scopes: &[Scope]) -> Principal {
    Principal::Machine { tenant: tenant.id, key: sample::id(), scopes: scopes.iter().copied().collect() }
}

#[test]
fn the_matrix_of_callers_and_needs() {
    let active =
        |slug| Tenant { lifecycle: Lifecycle::Active { since: sample::now() }, ..sample::tenant(slug) };
    let (own, other) = (active("acme"), active("other"));
    let operator = Principal::Operator { key: None };
    let reader = machine(&own, &[Scope::AccountsRead]);
    let need = Need::Scope(Scope::AccountsRead);
    let writing = Need::Scope(Scope::AccountsWrite);
    for (caller, tenant, need, expected) in [
        (&operator, Some(&own), need, Ok(own.id)),
        (&operator, Some(&own), Need::Admin, Ok(own.id)),
        (&operator, Some(&own), Need::Person, Err(Denied::NotAPerson)),
        (&operator, None, need, Err(Denied::NoSuchTenant)),
        (&reader, Some(&own), Need::Person, Err(Denied::NotAPerson)),
        (&person(&own, Role::Vendor), Some(&own), Need::Person, Ok(own.id)),
        (&person(&own, Role::Admin), Some(&other), Need::Person, Err(Denied::OtherTenant)),
        (&reader, Some(&own), need, Ok(own.id)),
        (&reader, Some(&own), writing, Err(Denied::MissingScope(Scope::AccountsWrite))),
        (&reader, Some(&own), Need::Admin, Err(Denied::MissingRole)),
        (&reader, Some(&other), need, Err(Denied::OtherTenant)),
        (&reader, None, need, Err(Denied::OtherTenant)),
        (&person(&own, Role::Admin), Some(&own), writing, Ok(own.id)),
        (&person(&own, Role::Admin), Some(&own), Need::Admin, Ok(own.id)),
        (&person(&own, Role::Admin), Some(&other), need, Err(Denied::OtherTenant)),
        (&person(&own, Role::User), Some(&own), need, Err(Denied::MissingRole)),
        (&person(&own, Role::Vendor), Some(&own), Need::Admin, Err(Denied::MissingRole)),
    ] {
        let actual = admit(caller, tenant, need).map(|tenant| tenant.id);
        assert_eq!(actual, expected, "{caller:?} {need:?}");
    }
}

#[test]
fn only_an_active_tenants_data_is_served_and_every_other_state_has_its_own_answer() {
    let mut tenant = sample::tenant("acme");
    let operator = Principal::Operator { key: None };
    let callers = [&operator, &machine(&tenant, &Scope::ALL), &person(&tenant, Role::Admin)];
    for lifecycle in sample::lifecycles() {
        let status = lifecycle.status();
        tenant.lifecycle = lifecycle;
        for caller in callers {
            let expected = match status {
                Status::Active => Ok(tenant.id),
                Status::PendingValidation | Status::Queued | Status::Provisioning => {
                    Err(Denied::NotReady(status))
                }
                Status::Suspended => Err(Denied::Suspended),
                Status::Failed => Err(Denied::Failed),
                Status::Deprovisioning => Err(Denied::Leaving),
                Status::Expired | Status::Deleted if *caller == operator => Err(Denied::NoSuchTenant),
                Status::Expired | Status::Deleted => Err(Denied::OtherTenant),
            };
            let need = Need::Scope(Scope::AccountsRead);
            let scope = authorize(caller, Some(&tenant), need).map(|scope| scope.tenant());
            assert_eq!(scope, expected, "{caller:?} {status}");
            let admitted = admit(caller, Some(&tenant), need).map(|tenant| tenant.id);
            let expected = if *caller == operator { Ok(tenant.id) } else { expected };
            assert_eq!(admitted, expected, "{caller:?} {status}");
        }
    }
}

#[test]
fn who_lacks_the_right_learns_nothing_about_the_state() {
    let mut tenant = sample::tenant("acme");
    let others =
        [machine(&sample::tenant("other"), &Scope::ALL), machine(&tenant, &[]), person(&tenant, Role::User)];
    for lifecycle in sample::lifecycles() {
        tenant.lifecycle = lifecycle;
        let answers = others.each_ref().map(|caller| {
            authorize(caller, Some(&tenant), Need::Scope(Scope::AccountsRead)).map(|scope| scope.tenant())
        });
        let expected = [Denied::OtherTenant, Denied::MissingScope(Scope::AccountsRead), Denied::MissingRole];
        assert_eq!(answers, expected.map(Err), "{}", tenant.lifecycle.status());
    }
}

fn wish(test: &TestPlatform, owner: Option<tenantry_domain::id::TenantId>) -> NewKey {
    NewKey {
        owner,
        name: "website".to_owned(),
        scopes: owner.iter().map(|_| Scope::AccountsRead).collect(),
        expires_at: Some(test.clock.now() + TimeDelta::hours(1)),
        created_by: "test".to_owned(),
    }
}

#[test]
fn a_key_works_until_it_expires_or_is_revoked() {
    let test = TestPlatform::new();
    let tenant = queued(&test);
    let (key, text) = api_keys::create(&test.platform, wish(&test, Some(tenant))).unwrap();
    let who = || authenticate(&test.platform, text.expose()).unwrap();
    let scopes = BTreeSet::from([Scope::AccountsRead]);
    assert_eq!(who(), Some(Principal::Machine { tenant, key: key.id, scopes }));
    test.clock.advance(TimeDelta::hours(1));
    assert_eq!(who(), None);

    let (key, text) = api_keys::create(&test.platform, wish(&test, Some(tenant))).unwrap();
    assert!(
        !api_keys::revoke(&test.platform, None, key.id, "operator").unwrap(),
        "not the operator's to name"
    );
    assert!(api_keys::revoke(&test.platform, Some(tenant), key.id, "operator").unwrap());
    assert_eq!(authenticate(&test.platform, text.expose()).unwrap(), None);
}

#[test]
fn the_operators_first_key_is_made_once() {
    let test = TestPlatform::new();
    let text = api_keys::ensure_operator(&test.platform).unwrap().unwrap();
    assert!(api_keys::ensure_operator(&test.platform).unwrap().is_none());
    assert!(matches!(
        authenticate(&test.platform, text.expose()).unwrap(),
        Some(Principal::Operator { key: Some(_) })
    ));
}

#[test]
fn a_key_that_could_do_nothing_is_not_made() {
    let test = TestPlatform::new();
    let tenant = queued(&test);
    let useless = NewKey {
        name: String::new(),
        scopes: BTreeSet::new(),
        expires_at: Some(test.clock.now()),
        ..wish(&test, Some(tenant))
    };
    let Err(NewKeyError::Invalid(findings)) = api_keys::create(&test.platform, useless) else {
        panic!("made")
    };
    let pointers: Vec<_> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
    assert_eq!(pointers, ["/name", "/scopes", "/expiresAt"]);
}

#[test]
fn nobody_is_authenticated_by_anything_else() {
    let test = TestPlatform::new();
    for credential in ["", "x", "fake_ten_00000000000000000001_00000000", "access-1", "a.b.c"] {
        assert_eq!(authenticate(&test.platform, credential).unwrap(), None, "{credential:?}");
    }
}

#[test]
fn only_who_has_the_password_learns_that_the_tenant_is_out_of_service() {
    let test = TestPlatform::new();
    let created = tenants::create(&test.platform, acme_with_admin()).unwrap();
    work_off(&test);
    let attempt = |password: &str| {
        let tenant = tenants::find(&test.platform, &TenantRef::Id(created.tenant.id)).unwrap();
        login_nowhere(&test.platform, "acme", tenant.as_ref(), &typed("admin@acme.example", password))
    };
    let target = Target { tenant: created.tenant.id, version: None, by: "operator" };
    tenants::suspend(&test.platform, target).unwrap();
    assert!(matches!(attempt("ChangeMe123!"), LoginError::Suspended));
    assert!(matches!(attempt("wrong"), LoginError::InvalidCredentials));
    tenants::deprovision(&test.platform, target, None).unwrap();
    assert!(matches!(attempt("ChangeMe123!"), LoginError::Leaving));
    assert!(matches!(attempt("wrong"), LoginError::InvalidCredentials));
    tenants::deprovision(&test.platform, target, Some(TimeDelta::zero())).unwrap();
    work_off(&test);
    assert!(matches!(attempt("ChangeMe123!"), LoginError::InvalidCredentials), "it is gone");
}
