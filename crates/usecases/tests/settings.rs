//! A tenant's settings: who may change what, on what they have seen, and what is noted of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use support::active;
use tenantry_domain::config::{AllowedConfigs, ConfigId, VersioningStrategy, demo};
use tenantry_domain::event::EventType;
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans, QuotaKind, Quotas, Settings};
use tenantry_ports::{Scope, StoreError, TenantScope};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::access::Principal;
use tenantry_usecases::settings::{self, Current, ReplaceError, Replacement, Wanted};

/// A platform every plan of which gives ten of everything.
fn platform() -> TestPlatform {
    let limits = PlanLimits { allowance: Allowance::new(|_| Limit::AtMost(10)), burst: 1 };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()))
}

fn machine(scope: &TenantScope) -> Principal {
    Principal::Machine {
        tenant: scope.tenant(),
        key: sample::id(),
        scopes: BTreeSet::from([Scope::SettingsWrite]),
    }
}

const OPERATOR: Principal = Principal::Operator { key: None };

fn replace(
    test: &TestPlatform,
    scope: &TenantScope,
    caller: &Principal,
    settings: Wanted,
) -> Result<Current, ReplaceError> {
    let wish = Replacement { settings, caller, trace: "request-1".to_owned() };
    settings::replace(&test.platform, scope, wish, |_| true)
}

fn accounts(limit: Limit) -> Wanted {
    Wanted { quotas: Quotas { max_accounts: Some(limit), ..Quotas::default() }, ..Wanted::default() }
}

fn changes(test: &TestPlatform, scope: &TenantScope) -> Vec<Value> {
    let store = test.platform.stores.open(scope).unwrap();
    let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap();
    let changes = log.into_iter().filter(|entry| entry.event.event_type == EventType::SETTINGS_UPDATED);
    changes.map(|entry| entry.event.data).collect()
}

#[test]
fn what_is_set_is_read_back_and_leaves_the_roles_alone() {
    let test = platform();
    let scope = active(&test);
    let only = BTreeSet::from([ConfigId::new(demo::DEMO_CONFIG_ID).unwrap()]);
    let wanted = Wanted {
        allowed_configs: AllowedConfigs::Only(only),
        versioning_strategy: VersioningStrategy::Internal,
        quotas: Quotas { max_users: Some(Limit::AtMost(3)), ..Quotas::default() },
    };
    let before = settings::read(&test.platform, &scope).unwrap();
    let set = replace(&test, &scope, &machine(&scope), wanted.clone()).unwrap();
    assert_eq!(set.settings, wanted);
    assert_ne!(set.tag, before.tag);
    assert_eq!(settings::read(&test.platform, &scope).unwrap(), set);
    let store = test.platform.stores.open(&scope).unwrap();
    let stored = store.read::<_, StoreError>(|tx| tx.settings().get()).unwrap().unwrap();
    assert_eq!(stored.roles, Settings::default().roles);
    let back = replace(&test, &scope, &machine(&scope), Wanted::default());
    assert!(matches!(back, Err(ReplaceError::Raised(kinds)) if kinds == [QuotaKind::Users]));
    assert_eq!(replace(&test, &scope, &OPERATOR, Wanted::default()).unwrap(), before, "the same again");
}

#[test]
fn a_tenant_lowers_its_quotas_and_only_the_operator_raises_them() {
    let test = platform();
    let scope = active(&test);
    let machine = machine(&scope);
    let raised = |outcome: Result<Current, ReplaceError>| match outcome {
        Ok(_) => Vec::new(),
        Err(ReplaceError::Raised(kinds)) => kinds,
        Err(other) => panic!("{other:?}"),
    };
    for (caller, limit, refused) in [
        (&machine, Limit::AtMost(11), true),
        (&machine, Limit::Unlimited, true),
        (&machine, Limit::AtMost(10), false),
        (&machine, Limit::AtMost(5), false),
        (&machine, Limit::AtMost(6), true),
        (&OPERATOR, Limit::Unlimited, false),
        (&machine, Limit::Unlimited, false),
        (&machine, Limit::AtMost(1_000_000), false),
        (&machine, Limit::Unlimited, true),
    ] {
        let kinds = raised(replace(&test, &scope, caller, accounts(limit)));
        let expected = if refused { vec![QuotaKind::Accounts] } else { Vec::new() };
        assert_eq!(kinds, expected, "{limit} for {}", caller.actor());
    }
    let everything = Quotas {
        max_accounts: Some(Limit::Unlimited),
        max_configs: Some(Limit::AtMost(11)),
        requests_per_minute: Some(Limit::AtMost(11)),
        max_users: Some(Limit::AtMost(9)),
        ..Quotas::default()
    };
    let wanted = Wanted { quotas: everything, ..Wanted::default() };
    let kinds = raised(replace(&test, &scope, &machine, wanted));
    assert_eq!(kinds, [QuotaKind::Accounts, QuotaKind::Configs, QuotaKind::Requests], "all at once");
}

#[test]
fn configs_that_do_not_exist_are_all_named_and_nothing_is_changed() {
    let test = platform();
    let scope = active(&test);
    let ids = [demo::DEMO_CONFIG_ID, "no-such", "nor-this"].map(|id| ConfigId::new(id).unwrap());
    let wanted = Wanted { allowed_configs: AllowedConfigs::Only(BTreeSet::from(ids)), ..Wanted::default() };
    match replace(&test, &scope, &machine(&scope), wanted) {
        Err(ReplaceError::UnknownConfigs(ids)) => {
            assert_eq!(ids.iter().map(ConfigId::as_str).collect::<Vec<_>>(), ["no-such", "nor-this"]);
        }
        other => panic!("{other:?}"),
    }
    assert!(changes(&test, &scope).is_empty());
    assert_eq!(settings::read(&test.platform, &scope).unwrap().settings, Wanted::default());
}

#[test]
fn a_change_is_in_the_log_with_who_made_it_and_what_was_before() {
    let test = platform();
    let scope = active(&test);
    let caller = machine(&scope);
    replace(&test, &scope, &caller, accounts(Limit::AtMost(5))).unwrap();
    replace(&test, &scope, &caller, accounts(Limit::AtMost(5))).unwrap();
    replace(&test, &scope, &OPERATOR, accounts(Limit::Unlimited)).unwrap();
    let shown =
        |quotas: Value| json!({ "allowedConfigs": "*", "versioningStrategy": "explicit", "quotas": quotas });
    assert_eq!(
        changes(&test, &scope),
        [
            json!({
                "changedBy": caller.actor(),
                "before": shown(json!({})),
                "after": shown(json!({ "maxAccounts": 5 })),
            }),
            json!({
                "changedBy": "operator",
                "before": shown(json!({ "maxAccounts": 5 })),
                "after": shown(json!({ "maxAccounts": "unlimited" })),
            }),
        ]
    );
}

#[test]
fn of_two_who_saw_the_same_one_changes_it() {
    let test = platform();
    let scope = active(&test);
    let seen = settings::read(&test.platform, &scope).unwrap().tag;
    let attempt = |limit| {
        let wish =
            Replacement { settings: accounts(Limit::AtMost(limit)), caller: &OPERATOR, trace: String::new() };
        settings::replace(&test.platform, &scope, wish, |tag| tag == seen)
    };
    let won: Vec<_> = std::thread::scope(|threads| {
        let attempt = &attempt;
        let threads: Vec<_> = (1..9).map(|limit| threads.spawn(move || attempt(limit))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter_map(Result::ok).collect()
    });
    assert_eq!(won.len(), 1);
    match attempt(10) {
        Err(ReplaceError::Stale { tag }) => assert_eq!(tag, won[0].tag),
        other => panic!("{other:?}"),
    }
}
