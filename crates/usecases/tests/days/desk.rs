//! A tenant whose accounts are traded, with a control database that is listened to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_domain::account::Account;
use tenantry_domain::account::engine::{PriceMark, Trade};
use tenantry_domain::config::ConfigId;
use tenantry_domain::event::Event;
use tenantry_domain::id::AccountId;
use tenantry_ports::{Access, ControlStore, ControlTx, StoreError, StoreResult, TenantScope, Verdict};
use tenantry_testkit::{TestPlatform, platform_over, sample};
use tenantry_usecases::Platform;
use tenantry_usecases::accounts::{self, Hand, ProvisionAccount};
use tenantry_usecases::configs::{self, Upload};
use tenantry_usecases::days::{Rolled, roll_once};
use tenantry_usecases::trades::{self, ApplyTrades};

use crate::support::active;

/// A control database that counts what is written to it, and fails when told to.
pub(crate) struct Counting {
    inner: Arc<dyn ControlStore>,
    writes: AtomicUsize,
    fails_at: AtomicUsize,
}

impl Counting {
    /// How many writes there were since the last time.
    pub(crate) fn writes(&self) -> usize {
        self.writes.swap(0, Ordering::SeqCst)
    }

    /// Has the write of this number fail, counted from 1 and from the next one.
    pub(crate) fn fail(&self, number: usize) {
        self.fails_at.store(self.writes.load(Ordering::SeqCst) + number, Ordering::SeqCst);
    }
}

impl ControlStore for Counting {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        if access == Access::Write
            && self.writes.fetch_add(1, Ordering::SeqCst) + 1 == self.fails_at.load(Ordering::SeqCst)
        {
            return Err(StoreError::Unavailable("as it was told to".to_owned()));
        }
        self.inner.transact(access, body)
    }
}

/// The times of a fresh platform's clock are on the first of March 2026.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    format!("2026-{text}Z").parse().unwrap()
}

pub(crate) fn hand() -> Hand {
    Hand { actor: "key_1".to_owned(), trace: "trace".to_owned() }
}

pub(crate) struct Desk {
    pub(crate) test: TestPlatform,
    pub(crate) platform: Platform,
    pub(crate) control: Arc<Counting>,
    pub(crate) scope: TenantScope,
}

impl Desk {
    /// A desk with configs `25k-v1` and, with other rules for its one stage and other time zone, `paused-v1`, `short-v1` and
    /// `utc-v1`.
    pub(crate) fn new() -> Self {
        let test = TestPlatform::new();
        let scope = active(&test);
        let inner = test.world.control();
        let control = Arc::new(Counting { inner, writes: 0.into(), fails_at: 0.into() });
        let world = platform_over(control.clone(), test.world.stores(), test.world.databases());
        let platform = Platform { clock: test.clock.clone(), ..world };
        let desk = Self { test, platform, control, scope };
        desk.upload("25k-v1", |_| ());
        desk.upload("paused-v1", |document| {
            document["challengeDefinitions"][0]["rules"]["dailyLossAction"] = json!("pause");
        });
        desk.upload("short-v1", |document| {
            let stage = &mut document["challengeDefinitions"][0];
            stage["durationDays"] = json!(2);
            stage["rules"] = json!({ "profitTarget": 0.08, "maxDrawdown": 0.5 });
        });
        desk.upload("utc-v1", |document| document["timezone"] = json!("UTC"));
        desk
    }

    fn upload(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut document = sample::config_document(id);
        change(&mut document);
        let given = Upload { document, actor: "key_1".to_owned(), trace: "trace".to_owned() };
        configs::upload(&self.platform, &self.scope, given).unwrap();
    }

    pub(crate) fn account(&self, config: &str) -> AccountId {
        self.accounts(config, 1).remove(0)
    }

    fn accounts(&self, config: &str, count: usize) -> Vec<AccountId> {
        let wanted = ProvisionAccount {
            user_id: "ann".parse().unwrap(),
            config_id: ConfigId::new(config).unwrap(),
            config_version: None,
            meta: None,
            idempotency: None,
            hand: hand(),
        };
        let wanted = vec![wanted; count];
        let made = accounts::provision(&self.platform, &self.scope, &wanted, |_: &Account, _: &_| vec![]);
        made.into_iter().map(|made| made.unwrap().account.unwrap()).collect()
    }

    /// An account that has one open position since then.
    pub(crate) fn traded(&self, config: &str, when: &str) -> AccountId {
        self.traded_many(config, when, 1).remove(0)
    }

    /// So many of them.
    pub(crate) fn traded_many(&self, config: &str, when: &str, count: usize) -> Vec<AccountId> {
        let accounts = self.accounts(config, count);
        let outcomes = self.trades(&accounts, "t-1", when);
        assert!(outcomes.iter().all(|outcome| *outcome == Ok("applied".to_owned())), "{outcomes:?}");
        accounts
    }

    /// What became of buying a tenth of a lot at 1.1 then.
    pub(crate) fn trade(&self, account: AccountId, id: &str, when: &str) -> String {
        self.try_trade(account, id, when).unwrap()
    }

    pub(crate) fn try_trade(&self, account: AccountId, id: &str, when: &str) -> Result<String, String> {
        self.trades(&[account], id, when).remove(0)
    }

    fn trades(&self, accounts: &[AccountId], id: &str, when: &str) -> Vec<Result<String, String>> {
        let trade: Trade = serde_json::from_str(&format!(
            r#"{{"tradeId":"{id}","symbol":"EURUSD","side":"buy","quantity":0.1,"price":1.1,"contractSize":100000,
                "executedAt":"2026-{when}Z"}}"#
        ))
        .unwrap();
        let command = |account: &AccountId| ApplyTrades {
            account: *account,
            trades: vec![trade.clone()],
            idempotency: None,
            hand: hand(),
        };
        let commands: Vec<_> = accounts.iter().map(command).collect();
        let outcome = |traded: &trades::Traded| match traded.results[0].outcome {
            trades::TradeOutcome::Applied(_) => b"applied".to_vec(),
            trades::TradeOutcome::Duplicate(_) => b"duplicate".to_vec(),
            trades::TradeOutcome::Refused(refusal) => refusal.code().as_bytes().to_vec(),
        };
        let receipts = trades::apply(&self.platform, &self.scope, &commands, outcome).into_iter();
        let text = |receipt: trades::Receipt| String::from_utf8(receipt.body).unwrap();
        receipts.map(|receipt| receipt.map(text).map_err(|error| error.to_string())).collect()
    }

    /// Marks EURUSD.
    pub(crate) fn mark(&self, price: &str, when: &str) -> trades::Marked {
        let mark = format!(r#"{{"symbol":"EURUSD","price":{price},"at":"2026-{when}Z"}}"#);
        let mark: PriceMark = serde_json::from_str(&mark).unwrap();
        trades::mark(&self.platform, &self.scope, vec![mark], &hand()).unwrap()
    }

    pub(crate) fn set(&self, when: &str) {
        self.test.clock.set(at(when));
    }

    /// What time has done by then, as a worker does it.
    pub(crate) fn roll_at(&self, when: &str) -> Rolled {
        self.set(when);
        self.roll()
    }

    pub(crate) fn roll(&self) -> Rolled {
        let mut sum = Rolled::default();
        while let Some(rolled) = roll_once(&self.platform, "worker").unwrap() {
            sum.accounts += rolled.accounts;
            sum.resumed += rolled.resumed;
            sum.expired += rolled.expired;
        }
        sum
    }

    pub(crate) fn stored(&self, account: AccountId) -> Account {
        let store = self.platform.stores.open(&self.scope).unwrap();
        store.read::<_, StoreError>(|tx| tx.accounts().get(&[account])).unwrap().remove(0)
    }

    /// The account's trading day, and the time of the last thing that happened to it.
    pub(crate) fn day(&self, account: AccountId) -> (String, DateTime<Utc>) {
        let state = self.stored(account).state;
        (state.trading_day.to_string(), state.as_of)
    }

    /// What the log says since this number of entries.
    pub(crate) fn told(&self, since: usize) -> Vec<Event> {
        let store = self.platform.stores.open(&self.scope).unwrap();
        let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 10_000)).unwrap();
        log.into_iter().skip(since).map(|entry| entry.event).collect()
    }

    /// Whether anything is noted of any tenant, however late.
    pub(crate) fn is_anything_noted(&self) -> bool {
        let far = at("03-01T00:00:00") + TimeDelta::days(36_500);
        let undone = self.platform.control.write(|tx| {
            let look = tx.days().claim("nobody", far, TimeDelta::zero())?;
            Err::<(), _>(if look.is_some() { StoreError::Stale } else { StoreError::corrupt("look", "") })
        });
        matches!(undone, Err(StoreError::Stale))
    }
}
