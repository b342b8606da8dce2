//! Slices of accounts: one transaction, one result each, and nobody is provisioned twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use support::active;
use tenantry_domain::account::{Account, AccountStatus, WebsiteUserId};
use tenantry_domain::config::{
    AccountConfig, AllowedConfigs, ConfigId, ConfigVersion, VersioningStrategy, demo,
};
use tenantry_domain::id::AccountId;
use tenantry_domain::tenant::{Limit, QuotaExceeded, QuotaKind, Quotas, Settings};
use tenantry_ports::{
    AccountFilter, AccountRevision, DatabaseFault, Digest, IdempotencyKey, LogEntry, StoreError, TenantScope,
};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeDigest, TestPlatform};
use tenantry_usecases::accounts::{
    self, AccountView, Answers, Hand, ProvisionAccount, ProvisionError, Reading, Receipt,
};
use tenantry_usecases::configs::{self, Upload};
use tenantry_usecases::idempotency::Answer;

fn hand(trace: &str) -> Hand {
    Hand { actor: "key_1".to_owned(), trace: trace.to_owned() }
}

fn wanted(user: &str) -> ProvisionAccount {
    ProvisionAccount {
        user_id: WebsiteUserId::new(user).unwrap(),
        config_id: ConfigId::new(demo::DEMO_CONFIG_ID).unwrap(),
        config_version: None,
        meta: None,
        idempotency: None,
        hand: hand("trace"),
    }
}

fn with_key(command: ProvisionAccount, key: &str, body: &str) -> ProvisionAccount {
    let fingerprint = FakeDigest.sha256(body.as_bytes());
    ProvisionAccount { idempotency: Some(IdempotencyKey { scope: key.to_owned(), fingerprint }), ..command }
}

fn receipt(account: &Account, _: &AccountConfig) -> Vec<u8> {
    account.id.to_string().into_bytes()
}

fn provision(
    test: &TestPlatform,
    scope: &TenantScope,
    slice: &[ProvisionAccount],
) -> Vec<Result<Receipt, ProvisionError>> {
    accounts::provision(&test.platform, scope, slice, receipt)
}

fn stored(test: &TestPlatform, scope: &TenantScope) -> Vec<accounts::AccountView> {
    accounts::list(&test.platform, scope, &AccountFilter::default(), None, 200).unwrap()
}

/// The account, unless it is as it is known.
fn changed(
    test: &TestPlatform,
    scope: &TenantScope,
    id: AccountId,
    known: Option<AccountRevision>,
) -> Option<Arc<AccountView>> {
    match accounts::read(&test.platform, scope, &[(id, known)]).unwrap().remove(0) {
        Reading::Changed(view) => Some(view),
        Reading::Unchanged => None,
        Reading::Unknown => panic!("there is no {id}"),
    }
}

fn provisioned_events(test: &TestPlatform, scope: &TenantScope) -> Vec<LogEntry> {
    let store = test.platform.stores.open(scope).unwrap();
    let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap();
    log.into_iter().filter(|entry| entry.event.event_type.as_str() == "account.provisioned").collect()
}

fn settle(test: &TestPlatform, scope: &TenantScope, settings: &Settings) {
    let store = test.platform.stores.open(scope).unwrap();
    store.write::<_, StoreError>(|tx| tx.settings().put(settings)).unwrap();
}

#[test]
fn every_account_of_a_slice_has_its_event_in_an_unbroken_chain() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let slice: Vec<_> = (0..10).map(|n| wanted(&format!("user-{n}"))).collect();
    let receipts: Vec<_> = provision(&test, &scope, &slice).into_iter().map(Result::unwrap).collect();
    let events = provisioned_events(&test, &scope);
    assert_eq!(events.len(), 10);
    for (receipt, entry) in receipts.iter().zip(&events) {
        assert_eq!((receipt.account, receipt.answer.status), (entry.event.account_id, 201));
        assert_eq!(entry.event.data["by"], "key_1");
    }
    assert!(
        events
            .windows(2)
            .all(|pair| pair[1].sequence == pair[0].sequence + 1 && pair[1].previous == pair[0].hash)
    );
    for view in stored(&test, &scope) {
        assert_eq!(view.account.state.balance.to_string(), "25000");
        assert!(!view.rules.is_empty());
    }
}

#[test]
fn a_refused_command_does_not_disturb_its_neighbours() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let unknown = ProvisionAccount { config_id: ConfigId::new("no-such-config").unwrap(), ..wanted("b") };
    let results = provision(&test, &scope, &[wanted("a"), unknown, wanted("c")]);
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(&results[1], Err(ProvisionError::UnknownConfig(id)) if id.as_str() == "no-such-config"));
    assert_eq!((stored(&test, &scope).len(), provisioned_events(&test, &scope).len()), (2, 2));
}

#[test]
fn a_repeated_request_gets_the_first_answer_within_and_across_slices() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let command = with_key(wanted("a"), "key-1", "body");
    let results = provision(&test, &scope, &[command.clone(), command.clone()]);
    let [Ok(first), Ok(second)] = &results[..] else { panic!("{results:?}") };
    assert!(!first.replayed && second.replayed);
    let later = provision(&test, &scope, &[command]).remove(0).unwrap();
    assert!(later.replayed);
    assert_eq!((&later.answer, &second.answer), (&first.answer, &first.answer));
    assert_eq!((stored(&test, &scope).len(), provisioned_events(&test, &scope).len()), (1, 1));
}

#[test]
fn a_key_used_for_another_request_is_refused() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let slice = [with_key(wanted("a"), "key-1", "body"), with_key(wanted("a"), "key-1", "other body")];
    let results = provision(&test, &scope, &slice);
    assert!(results[0].is_ok() && matches!(results[1], Err(ProvisionError::KeyReused)));
    let later = provision(&test, &scope, &slice[1..]).remove(0);
    assert!(matches!(later, Err(ProvisionError::KeyReused)));
    assert_eq!(stored(&test, &scope).len(), 1);
}

#[test]
fn a_refusal_that_no_answer_is_written_for_is_not_kept() {
    let test = TestPlatform::new();
    let scope = active(&test);
    settle(
        &test,
        &scope,
        &Settings { allowed_configs: AllowedConfigs::Only([].into()), ..Settings::default() },
    );
    let command = with_key(wanted("a"), "key-1", "body");
    let refused = provision(&test, &scope, std::slice::from_ref(&command)).remove(0);
    assert!(matches!(refused, Err(ProvisionError::ConfigNotAllowed(_))));
    settle(&test, &scope, &Settings::default());
    assert!(!provision(&test, &scope, &[command]).remove(0).unwrap().replayed);
}

/// Writes an answer to every refusal.
struct Strict;

impl Answers for Strict {
    fn provisioned(&self, account: &Account, config: &AccountConfig) -> Vec<u8> {
        receipt(account, config)
    }

    fn refused(&self, _: &TenantScope, refusal: &ProvisionError, trace: &str) -> Option<Answer> {
        Some(Answer { status: 422, body: format!("{refusal} {trace}").into_bytes() })
    }
}

#[test]
fn a_refusal_that_is_for_good_is_repeated_within_and_across_slices_even_if_nobody_is_provisioned() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let provision = |slice: &[ProvisionAccount]| accounts::provision(&test.platform, &scope, slice, Strict);
    let missing = ProvisionAccount { config_id: ConfigId::new("later-v1").unwrap(), ..wanted("a") };
    let keyed = with_key(missing.clone(), "key-1", "body");
    let again = ProvisionAccount { hand: hand("another"), ..keyed.clone() };
    let results = provision(&[keyed, again.clone(), missing]);
    let [Ok(first), Ok(second), Err(ProvisionError::UnknownConfig(_))] = &results[..] else {
        panic!("{results:?}")
    };
    assert_eq!((first.replayed, second.replayed, first.account), (false, true, None));
    assert_eq!(first.answer.body, b"there is no account config 'later-v1' trace");
    upload(&test, &scope, "later-v1", 30_000);
    let later = provision(&[again]).remove(0).unwrap();
    assert_eq!((&later.answer, &second.answer, later.replayed), (&first.answer, &first.answer, true));
    assert!(stored(&test, &scope).is_empty());
}

fn upload(test: &TestPlatform, scope: &TenantScope, id: &str, capital: u32) -> ConfigVersion {
    let mut document = demo::config();
    document["id"] = json!(id);
    document["baseCapital"] = json!(capital);
    let upload = Upload { document, actor: "key_1".to_owned(), trace: "trace".to_owned() };
    configs::upload(&test.platform, scope, upload).unwrap().config.version
}

#[test]
fn an_account_is_made_from_the_version_that_is_asked_for() {
    let test = TestPlatform::new();
    let scope = active(&test);
    settle(
        &test,
        &scope,
        &Settings { versioning_strategy: VersioningStrategy::Internal, ..Settings::default() },
    );
    for capital in [10_000, 20_000, 30_000] {
        upload(&test, &scope, "own", capital);
    }
    let id = ConfigId::new("own").unwrap();
    let version = |number| Some(ConfigVersion::new(number).unwrap());
    let asked = [None, version(2), version(3), version(1), version(2), version(4)];
    let slice = asked.map(|config_version| ProvisionAccount {
        config_id: id.clone(),
        config_version,
        ..wanted(&config_version.map_or("current".to_owned(), |version| version.to_string()))
    });
    let results = provision(&test, &scope, &slice);
    assert!(
        matches!(&results[5], Err(ProvisionError::UnknownVersion(of, version)) if *of == id && version.get() == 4)
    );
    let made: BTreeMap<_, _> = stored(&test, &scope)
        .into_iter()
        .map(|view| (view.account.id, (view.account.config_version.get(), view.account.state.balance)))
        .collect();
    let told: Vec<_> = results[..5]
        .iter()
        .map(|result| {
            let (version, balance) = made[&result.as_ref().unwrap().account.unwrap()];
            (version, balance.to_string())
        })
        .collect();
    let expected = [(3, "30000"), (2, "20000"), (3, "30000"), (1, "10000"), (2, "20000")]
        .map(|(v, b)| (v, b.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn an_answer_is_forgotten_after_its_retention() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let command = [with_key(wanted("a"), "key-1", "body")];
    assert!(!provision(&test, &scope, &command).remove(0).unwrap().replayed);
    test.clock.advance(TimeDelta::hours(24));
    assert!(provision(&test, &scope, &command).remove(0).unwrap().replayed);
    test.clock.advance(TimeDelta::microseconds(1));
    assert!(!provision(&test, &scope, &command).remove(0).unwrap().replayed);
}

#[test]
fn the_quota_is_kept_to_the_last_account() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let quotas = Quotas { max_accounts: Some(Limit::AtMost(5)), ..Quotas::default() };
    settle(&test, &scope, &Settings { quotas, ..Settings::default() });
    let results: Vec<_> = std::thread::scope(|threads| {
        let one = |n: usize| provision(&test, &scope, &[wanted(&format!("a{n}")), wanted(&format!("b{n}"))]);
        let threads: Vec<_> = (0..8).map(|n| threads.spawn(move || one(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    let limit = QuotaExceeded { kind: QuotaKind::Accounts, limit: 5, used: 5 };
    let full =
        |result: &&Result<_, _>| matches!(result, Err(ProvisionError::QuotaExceeded(full)) if *full == limit);
    assert_eq!(results.iter().filter(full).count(), 11);
    assert_eq!(stored(&test, &scope).len(), 5);
}

#[test]
fn a_failed_commit_fails_the_whole_slice_and_keeps_nothing() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    let slice = [with_key(wanted("a"), "key-1", "body"), wanted("b")];
    for result in provision(&test, &scope, &slice) {
        assert!(matches!(result, Err(ProvisionError::Store(_))));
    }
    assert!(stored(&test, &scope).is_empty());
    assert!(provision(&test, &scope, &slice).iter().all(Result::is_ok), "trying again is safe");
}

#[test]
fn a_lost_commit_answer_is_found_again_by_its_key() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.databases.fail(DatabaseCall::Write, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
    let command = [with_key(wanted("a"), "key-1", "body")];
    assert!(matches!(provision(&test, &scope, &command)[0], Err(ProvisionError::Store(_))));
    assert!(provision(&test, &scope, &command).remove(0).unwrap().replayed);
    assert_eq!((stored(&test, &scope).len(), provisioned_events(&test, &scope).len()), (1, 1));
}

#[test]
fn an_account_keeps_the_version_it_was_made_from() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let internal = Settings {
        versioning_strategy: tenantry_domain::config::VersioningStrategy::Internal,
        ..Settings::default()
    };
    settle(&test, &scope, &internal);
    let old = provision(&test, &scope, &[wanted("a")]).remove(0).unwrap().account.unwrap();
    assert_eq!(upload(&test, &scope, demo::DEMO_CONFIG_ID, 50_000).get(), 2);
    let new = provision(&test, &scope, &[wanted("b")]).remove(0).unwrap().account.unwrap();
    let facts = [new, old].map(|id| {
        let view = changed(&test, &scope, id, None).unwrap();
        (view.account.config_version.get(), view.account.state.balance.to_string())
    });
    assert_eq!(facts, [(2, "50000".to_owned()), (1, "25000".to_owned())]);
}

#[test]
fn reading_answers_in_the_order_asked_for_and_says_what_is_not_there() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let results = provision(&test, &scope, &[wanted("a"), wanted("b")]);
    let ids: Vec<_> = results.into_iter().map(|result| result.unwrap().account.unwrap()).collect();
    let nobody = test.platform.ids.next();
    let asked = [ids[1], nobody, ids[0], ids[1]].map(|id| (id, None));
    let readings = accounts::read(&test.platform, &scope, &asked).unwrap();
    let found = readings.iter().map(|reading| match reading {
        Reading::Changed(view) => Some(view.account.id),
        Reading::Unknown => None,
        Reading::Unchanged => panic!("nothing was known"),
    });
    assert_eq!(found.collect::<Vec<_>>(), [Some(ids[1]), None, Some(ids[0]), Some(ids[1])]);
}

#[test]
fn what_is_known_is_read_again_only_once_it_has_changed() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let id = provision(&test, &scope, &[wanted("a")]).remove(0).unwrap().account.unwrap();
    let read = |known| changed(&test, &scope, id, Some(known));
    let first = changed(&test, &scope, id, None).unwrap().account.clone();
    assert!(read(AccountRevision::from(&first)).is_none());

    let mut second = Account { version: 2, ..first.clone() };
    second.state.status = AccountStatus::Disabled;
    // As after a backup was restored: what was the second version has become another one.
    let other = Account { updated_at: second.updated_at + TimeDelta::milliseconds(1), ..second.clone() };
    let mut known = first;
    for now in [second, other] {
        test.world.put_account(&scope, now.clone()).unwrap();
        assert_eq!(read(AccountRevision::from(&known)).unwrap().account, now);
        assert!(read(AccountRevision::from(&now)).is_none());
        known = now;
    }
}

#[test]
fn in_one_slice_everybody_is_told_by_what_they_know() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let id = provision(&test, &scope, &[wanted("a")]).remove(0).unwrap().account.unwrap();
    let current = AccountRevision::from(&changed(&test, &scope, id, None).unwrap().account);
    let old = AccountRevision { version: 0, ..current };
    let asked = [(id, Some(current)), (id, None), (id, Some(old)), (test.platform.ids.next(), Some(old))];
    let readings = accounts::read(&test.platform, &scope, &asked).unwrap();
    assert!(matches!(
        readings[..],
        [Reading::Unchanged, Reading::Changed(_), Reading::Changed(_), Reading::Unknown]
    ));
}
