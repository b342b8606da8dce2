//! Facts about days that begin by themselves: which accounts are due, and that each day begins once.

use std::sync::Arc;
use std::thread;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::account::engine::Trade;
use tenantry_domain::account::{Account, AccountStatus};
use tenantry_domain::config::{ConfigId, demo};
use tenantry_domain::id::AccountId;
use tenantry_domain::tenant::Lifecycle;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::accounts::{Hand, ProvisionAccount, provision};
use tenantry_usecases::configs::{Upload, upload};
use tenantry_usecases::days::{Rolled, roll_once};
use tenantry_usecases::trades::{ApplyTrades, apply};

use crate::contract::{Subject, store, tenant};
use crate::{FakeClock, SequentialIds, platform_over, sample};

/// Accounts come when they are due, those longest due first, and no longer when they are due later or never.
pub fn accounts_come_when_they_are_due(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    let account = |seconds: Option<i64>| {
        let fresh = sample::account_of(scope.tenant(), &config);
        Account { rolls_at: seconds.map(sample::at), ..fresh }
    };
    let due = |seconds: i64, limit: usize| -> Vec<AccountId> {
        let due = store.read(|tx| tx.accounts().to_roll(sample::at(seconds), limit)).expect("an answer");
        due.iter().map(|account| account.id).collect()
    };
    let next = || store.read(|tx| tx.accounts().next_roll()).expect("an answer");
    assert_eq!(next(), None);
    let [never, third, first, second] = [None, Some(30), Some(10), Some(20)].map(account);
    let all = [&never, &third, &first, &second].map(Clone::clone);
    store.write(|tx| tx.accounts().insert(&all)).expect("they are inserted");
    assert_eq!((due(9, 10), next()), (vec![], Some(sample::at(10))));
    assert_eq!(due(10, 10), [first.id]);
    assert_eq!(due(30, 10), [first.id, second.id, third.id]);
    assert_eq!(due(30, 2), [first.id, second.id]);
    let later = Account { rolls_at: Some(sample::at(40)), version: 2, ..first.clone() };
    let no_more = Account { rolls_at: None, version: 2, ..second };
    store.write(|tx| tx.accounts().update(&[later.clone(), no_more])).expect("they are replaced");
    assert_eq!((due(40, 10), next()), (vec![third.id, first.id], Some(sample::at(30))));
    let whole = store.read(|tx| tx.accounts().to_roll(sample::at(40), 10)).expect("an answer");
    assert_eq!(whole.last(), Some(&later));
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn hand() -> Hand {
    Hand { actor: "key_1".to_owned(), trace: "trace".to_owned() }
}

/// Two processes over the same stores, at a clock of theirs.
fn processes(subject: &dyn Subject, clock: &Arc<FakeClock>) -> [Platform; 2] {
    [0, 1_000_000].map(|ids| Platform {
        clock: clock.clone(),
        ids: Arc::new(SequentialIds::after(ids)),
        ..platform_over(subject.control(), subject.stores(), subject.databases())
    })
}

/// So many accounts with an open position.
fn traded(platform: &Platform, scope: &TenantScope, count: usize, when: &str) -> Vec<AccountId> {
    let document = sample::config_document("days-v1");
    let given = Upload { document, actor: "key_1".to_owned(), trace: "trace".to_owned() };
    upload(platform, scope, given).expect("a config");
    let wanted = ProvisionAccount {
        user_id: "user".parse().expect("a user"),
        config_id: ConfigId::new("days-v1").expect("an id"),
        config_version: None,
        meta: None,
        idempotency: None,
        hand: hand(),
    };
    let made = provision(platform, scope, &vec![wanted; count], |_: &Account, _: &_| Vec::new());
    let made: Vec<_> = made.into_iter().filter_map(|made| made.expect("an account").account).collect();
    let trade = format!(
        r#"{{"tradeId":"t-1","symbol":"{}","side":"buy","quantity":0.1,"price":1.1,"contractSize":1000,"executedAt":"{when}"}}"#,
        demo::config()["allowedInstruments"][0].as_str().expect("an instrument"),
    );
    let trade: Trade = serde_json::from_str(&trade).expect("a trade");
    let slice: Vec<_> = made
        .iter()
        .map(|id| ApplyTrades { account: *id, trades: vec![trade.clone()], idempotency: None, hand: hand() })
        .collect();
    for outcome in apply(platform, scope, &slice, |traded| format!("{:?}", traded.results).into_bytes()) {
        let results = outcome.expect("an answer").body;
        assert!(String::from_utf8_lossy(&results).contains("Applied"), "{results:?}");
    }
    made
}

/// Whichever process looks, and if all look at once: each account's day begins once, and the log says so once.
pub fn of_two_processes_each_day_is_begun_by_one(subject: &dyn Subject) {
    const ACCOUNTS: usize = 30;
    let clock = Arc::new(FakeClock::at(at("2025-01-10T15:00:00Z")));
    let platforms = processes(subject, &clock);
    let mut tenant = tenant(subject, "acme");
    tenant.lifecycle = Lifecycle::Active { since: sample::now() };
    let scope = sample::scope_of(&tenant);
    let store = sample::opened(&*subject.databases(), &*subject.stores(), &scope);
    subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("a tenant");
    let ids = traded(&platforms[0], &scope, ACCOUNTS, "2025-01-10T15:00:00Z");
    let accounts = || store.read(|tx| tx.accounts().get(&ids)).expect("the accounts");
    for (now, day) in [("2025-01-11T05:01:00Z", "2025-01-11"), ("2025-01-12T06:00:00Z", "2025-01-12")] {
        let versions: i64 = accounts().iter().map(|account| account.version).sum();
        clock.set(at(now));
        // Each has a look of its own to begin with.
        let own = at(now) - TimeDelta::seconds(1);
        let own = subject.control().write(|tx| tx.days().note(scope.tenant(), own));
        own.expect("a look is noted");
        let rolled: Vec<Rolled> = thread::scope(|threads| {
            let works = platforms.each_ref().map(|platform| {
                threads.spawn(|| {
                    let look = || roll_once(platform, "worker").expect("nothing fails");
                    std::iter::from_fn(look).collect::<Vec<_>>()
                })
            });
            works.into_iter().flat_map(|work| work.join().expect("no panic")).collect()
        });
        assert_eq!(rolled.iter().map(|rolled| rolled.accounts).sum::<usize>(), ACCOUNTS, "{rolled:?}");
        for account in accounts() {
            assert_eq!(account.state.trading_day.to_string(), day);
            assert_eq!(account.state.status, AccountStatus::Active);
        }
        let after: i64 = accounts().iter().map(|account| account.version).sum();
        assert_eq!(after - versions, i64::try_from(ACCOUNTS).expect("few"), "each was changed once");
    }
    let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1_000)).expect("the log");
    let told = log.iter().filter(|entry| entry.event.event_type.as_str() == "days.rolled");
    let told: Vec<_> = told.map(|entry| entry.event.data["accounts"]["rolled"].clone()).collect();
    assert_eq!(told, [ACCOUNTS, ACCOUNTS]);
}
