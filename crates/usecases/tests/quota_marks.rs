//! A quota that is nearly used up, or used up, is in the tenant's log: once, and where it happened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::{acme_in_service, wish};
use tenantry_domain::account::{Account, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, ConfigId, VersioningStrategy, demo};
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans, Quotas, Tenant};
use tenantry_ports::{StoreError, TenantScope};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::access::Principal;
use tenantry_usecases::accounts::{self, Hand, ProvisionAccount};
use tenantry_usecases::configs::{self, Upload};
use tenantry_usecases::settings::{self, Replacement, Wanted};
use tenantry_usecases::users;

/// A tenant, with an admin, whose plan gives so many of everything.
struct Acme {
    test: TestPlatform,
    tenant: Tenant,
    scope: TenantScope,
}

impl Acme {
    fn with(limit: Limit) -> Self {
        let limits = PlanLimits { allowance: Allowance::new(|_| limit), burst: 1 };
        let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
        let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
        let (tenant, scope) = acme_in_service(&test);
        Self { test, tenant, scope }
    }

    /// Wants accounts in one slice; how many there were.
    fn provision(&self, traces: &[&str]) -> usize {
        let command = |trace: &&str| ProvisionAccount {
            user_id: WebsiteUserId::new("user").unwrap(),
            config_id: ConfigId::new(demo::DEMO_CONFIG_ID).unwrap(),
            config_version: None,
            meta: None,
            idempotency: None,
            hand: Hand { actor: "key_1".to_owned(), trace: (*trace).to_owned() },
        };
        let slice: Vec<_> = traces.iter().map(command).collect();
        let receipt = |_: &Account, _: &AccountConfig| Vec::new();
        let results = accounts::provision(&self.test.platform, &self.scope, &slice, receipt);
        results.iter().filter(|result| result.is_ok()).count()
    }

    fn register(&self, name: &str) -> bool {
        let wish = wish(name);
        users::register(&self.test.platform, &self.tenant, &self.scope, wish, |_, _| Value::Null).is_ok()
    }

    fn upload(&self, id: &str, capital: u32) -> bool {
        let mut document = demo::config();
        (document["id"], document["baseCapital"]) = (json!(id), json!(capital));
        let upload = Upload { document, actor: "key_1".to_owned(), trace: "t".to_owned() };
        configs::upload(&self.test.platform, &self.scope, upload).is_ok()
    }

    fn agree(&self, quotas: Quotas) {
        let caller = &Principal::Operator { key: None };
        let versioning_strategy = VersioningStrategy::Internal;
        let settings = Wanted { quotas, versioning_strategy, ..Wanted::default() };
        let wish = Replacement { settings, caller, trace: "agreed".to_owned() };
        settings::replace(&self.test.platform, &self.scope, wish, |_| true).unwrap();
    }

    /// What the log says of quotas: each event's type, data, trace, and the type of the one before it.
    fn marks(&self) -> Vec<(String, Value, String, String)> {
        let store = self.test.platform.stores.open(&self.scope).unwrap();
        let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap();
        let types: Vec<_> = log.iter().map(|entry| entry.event.event_type.to_string()).collect();
        let quotas = log.into_iter().enumerate().filter(|(at, _)| types[*at].starts_with("quota."));
        let told = quotas.map(|(at, entry)| {
            (types[at].clone(), entry.event.data, entry.event.meta.trace_id, types[at - 1].clone())
        });
        told.collect()
    }
}

fn mark(
    kind: &str,
    quota: &str,
    (limit, used): (u64, u64),
    trace: &str,
    after: &str,
) -> (String, Value, String, String) {
    let data = json!({ "quota": quota, "limit": limit, "used": used });
    (format!("quota.{kind}"), data, trace.to_owned(), after.to_owned())
}

#[test]
fn accounts_pass_each_mark_once_with_the_request_that_passed_it() {
    let acme = Acme::with(Limit::AtMost(10));
    let provisioned = "account.provisioned";
    assert_eq!(acme.provision(&["1", "2", "3", "4", "5", "6", "7"]), 7);
    assert_eq!(acme.marks(), []);
    let warning = mark("warning", "maxAccounts", (10, 8), "8", provisioned);
    assert_eq!(acme.provision(&["8", "9"]), 2);
    assert_eq!(acme.marks(), std::slice::from_ref(&warning));
    assert_eq!(acme.provision(&["10", "11", "12"]), 1);
    let reached = mark("reached", "maxAccounts", (10, 10), "10", provisioned);
    assert_eq!(acme.provision(&["13"]), 0);
    assert_eq!(acme.marks(), [warning, reached], "refused requests add nothing");
}

#[test]
fn one_slice_may_pass_both_marks() {
    let acme = Acme::with(Limit::AtMost(5));
    assert_eq!(acme.provision(&["1", "2", "3", "4", "5", "6"]), 5);
    let traces: Vec<_> = acme.marks().into_iter().map(|(kind, _, trace, _)| (kind, trace)).collect();
    let expected = [("quota.warning", "4"), ("quota.reached", "5")];
    assert_eq!(traces, expected.map(|(kind, trace)| (kind.to_owned(), trace.to_owned())));
}

#[test]
fn people_and_configs_pass_marks_too_and_another_version_does_not() {
    let acme = Acme::with(Limit::AtMost(5));
    acme.agree(Quotas::default());
    for name in ["two", "three", "four", "five"] {
        assert!(acme.register(name) && acme.upload(&format!("{name}-v1"), 1000), "{name}");
    }
    assert!(!acme.register("six") && !acme.upload("six-v1", 1000));
    assert!(acme.upload("five-v1", 2000), "the same config, another version");
    let marks: Vec<_> = acme.marks().into_iter().map(|(kind, data, _, after)| (kind, data, after)).collect();
    let expected = [
        ("quota.warning", "maxUsers", 4, "user.created"),
        ("quota.warning", "maxConfigs", 4, "config.uploaded"),
        ("quota.reached", "maxUsers", 5, "user.created"),
        ("quota.reached", "maxConfigs", 5, "config.uploaded"),
    ];
    let expected = expected.map(|(kind, quota, used, after)| {
        (kind.to_owned(), json!({ "quota": quota, "limit": 5, "used": used }), after.to_owned())
    });
    assert_eq!(marks, expected);
}

#[test]
fn a_quota_that_is_lowered_may_pass_a_mark_and_one_that_is_raised_lets_it_be_passed_anew() {
    let acme = Acme::with(Limit::Unlimited);
    let at_most = |limit| Quotas { max_accounts: Some(Limit::AtMost(limit)), ..Quotas::default() };
    assert_eq!(acme.provision(&["t"; 8]), 8);
    acme.agree(at_most(100));
    assert_eq!(acme.marks(), []);
    acme.agree(at_most(10));
    acme.agree(at_most(9));
    let warning = mark("warning", "maxAccounts", (10, 8), "agreed", "settings.updated");
    assert_eq!(acme.marks(), std::slice::from_ref(&warning), "it was passed before");
    acme.agree(at_most(5));
    let reached = mark("reached", "maxAccounts", (5, 8), "agreed", "settings.updated");
    assert_eq!(acme.marks(), [warning, reached]);
    acme.agree(at_most(11));
    assert_eq!(acme.provision(&["anew"]), 1);
    let anew = mark("warning", "maxAccounts", (11, 9), "anew", "account.provisioned");
    assert_eq!(acme.marks()[2..], [anew]);
}
