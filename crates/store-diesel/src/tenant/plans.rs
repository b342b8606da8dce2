//! What is looked at to find something among ten thousand accounts and their events.

use std::fmt::Write as _;

use diesel::connection::SimpleConnection;
use tenantry_domain::account::{Account, AccountMapping, AccountStatus, TradePlace, WebsiteUserId};
use tenantry_domain::config::ConfigId;
use tenantry_domain::id::AccountId;
use tenantry_ports::{
    Access, AccountEvents, AccountFilter, Digest as _, LogEntry, LogHead, StoreError, TenantTx,
};
use tenantry_testkit::{FakeDigest, sample};
use uuid::Uuid;

use crate::db::Db;
use crate::testing::plans::{explained, looked_at};
use crate::testing::traffic::Ear;
use crate::testing::{self, Place};
use crate::transaction::Transaction;

const ACCOUNTS: usize = 10_000;
const EVENTS: usize = 10_000;
const PAGE: usize = 50;

/// What is asked, and how many rows PostgreSQL may look at.
type Question = (&'static str, i64, fn(&mut dyn TenantTx) -> Result<usize, StoreError>);

const QUESTIONS: [Question; 19] = [
    ("the newest", 50, |tx| page(tx, AccountFilter::default(), None)),
    ("the newest, far back", 50, |tx| page(tx, AccountFilter::default(), Some(2_000))),
    ("of a user", 2, |tx| page(tx, of_user(77), None)),
    ("of a user and a status", 2, |tx| {
        page(tx, AccountFilter { status: Some(AccountStatus::Provisioned), ..of_user(77) }, None)
    }),
    ("of nobody", 0, |tx| page(tx, of_user(ACCOUNTS), None)),
    ("in a common status", 60, |tx| page(tx, in_status(AccountStatus::Provisioned), None)),
    ("in a rare status", 50, |tx| page(tx, in_status(AccountStatus::Breached), None)),
    ("in a rare status, far back", 60, |tx| page(tx, in_status(AccountStatus::Breached), Some(6_000))),
    ("in a status nobody has", 0, |tx| page(tx, in_status(AccountStatus::Paused), None)),
    ("of a common config", 60, |tx| page(tx, of_config("common-v1"), None)),
    ("of a rare config", 50, |tx| page(tx, of_config("rare-v1"), None)),
    ("of a rare config, far back", 60, |tx| page(tx, of_config("rare-v1"), Some(6_000))),
    ("of a rare config and status", 0, |tx| {
        page(tx, AccountFilter { status: Some(AccountStatus::Breached), ..of_config("rare-v1") }, None)
    }),
    ("of a common config and a rare status", 50, |tx| {
        page(
            tx,
            AccountFilter { status: Some(AccountStatus::Breached), ..of_config("common-v1") },
            Some(6_000),
        )
    }),
    // One of theirs, and one that was given to them, each with whether and that; PostgreSQL looks at some more, by its plan.
    ("whose a user's accounts are", 20, |tx| Ok(tx.mappings().accounts_of(&user(77), None, PAGE)?.len())),
    ("whose an account is", 1, |tx| Ok(tx.mappings().of_account(id(500), true, None, PAGE)?.len())),
    ("whose day begins", 50, |tx| Ok(tx.accounts().to_roll(sample::at(10), PAGE)?.len())),
    ("when the next day begins", 1, |tx| Ok(usize::from(tx.accounts().next_roll()?.is_some()))),
    ("what happened to an account", 10, |tx| {
        let filter = AccountEvents {
            account: id(500),
            from: Some(sample::at(-9)),
            until: None,
            types: "config.*".parse().ok(),
        };
        Ok(tx.log().of_account(&filter, None, PAGE)?.len())
    }),
];

fn page(tx: &mut dyn TenantTx, filter: AccountFilter, after: Option<usize>) -> Result<usize, StoreError> {
    Ok(tx.accounts().page(&filter, after.map(id), PAGE)?.len())
}

fn user(i: usize) -> WebsiteUserId {
    WebsiteUserId::new(format!("user-{i}")).unwrap()
}

fn of_user(i: usize) -> AccountFilter {
    AccountFilter { user: Some(user(i)), ..AccountFilter::default() }
}

fn in_status(status: AccountStatus) -> AccountFilter {
    AccountFilter { status: Some(status), ..AccountFilter::default() }
}

fn of_config(id: &str) -> AccountFilter {
    AccountFilter { config: ConfigId::new(id).ok(), ..AccountFilter::default() }
}

/// The id of the account of this number.
fn id(i: usize) -> AccountId {
    AccountId::new(Uuid::from_u128(i as u128 + 1))
}

/// Most accounts are new and of one config.
fn account(template: &Account, i: usize) -> Account {
    let mut account = Account { id: id(i), user_id: user(i % (ACCOUNTS / 2)), ..template.clone() };
    let config = if i % 100 == 7 { "rare-v1" } else { "common-v1" };
    account.config_id = ConfigId::new(config).unwrap();
    if i % 100 == 13 {
        account.state.status = AccountStatus::Breached;
    }
    account.rolls_at = (i % 20 == 3).then(|| sample::at(i64::from(i % 40 == 3) * 100));
    account
}

/// Ten thousand accounts, of which every tenth is somebody else's besides, and ten thousand events: a few of each account.
fn crowd(place: &Place) {
    let tenant = place.scope.tenant();
    let template = sample::account_of(tenant, &sample::stored_config("common-v1", 1));
    let accounts: Vec<_> = (0..ACCOUNTS).map(|i| account(&template, i)).collect();
    let given = |account: &Account| {
        let to = user(usize::try_from(account.id.uuid().as_u128()).unwrap() + 76 - 500);
        AccountMapping::begin(sample::id(), account.id, to, sample::now(), "key".to_owned())
    };
    let mappings: Vec<_> = accounts[500..].iter().step_by(10).map(given).collect();
    let written: Result<(), StoreError> = place.store().write(|tx| {
        for slice in accounts.chunks(1_000) {
            tx.accounts().insert(slice)?;
        }
        tx.mappings().insert(&mappings)?;
        let mut head = tx.log().lock()?;
        let mut entries = sample::log_entries(tenant, head, EVENTS);
        for (i, entry) in entries.iter_mut().enumerate() {
            entry.event.account_id = Some(id(i % (ACCOUNTS / 10)));
            entry.previous = head.hash;
            entry.hash = FakeDigest.sha256(&[&head.hash[..], &i.to_be_bytes()].concat());
            head = LogHead { sequence: entry.sequence, hash: entry.hash };
        }
        entries.chunks(1_000).try_for_each(|slice: &[LogEntry]| tx.log().append(slice))
    });
    written.unwrap();
    if let Db::Postgres(postgres) = &mut place.tenant_database().connection().unwrap().db {
        // What the server does by itself after a while.
        postgres.batch_execute("VACUUM ANALYZE").unwrap();
    }
}

#[test]
fn hardly_more_is_looked_at_than_is_answered() {
    // Tenants' own logins may not analyse.
    for place in testing::both_with(|settings| settings.logins = None) {
        crowd(&place);
        let database = place.tenant_database();
        let is_postgres = matches!(database.connection().unwrap().db, Db::Postgres(_));
        let mut wasteful = String::new();
        for (what, most, ask) in QUESTIONS {
            if is_postgres {
                let mut connection = database.connection().unwrap();
                connection.db.begin_write().unwrap();
                let mut tx = Transaction::new(Access::Write, &mut connection);
                let before = tx.read(looked_at).unwrap();
                let found = ask(&mut tx).unwrap();
                let looked = tx.read(looked_at).unwrap() - before;
                connection.db.roll_back();
                if looked > most {
                    let _ = writeln!(wasteful, "{what}: {looked} looked at, {found} found");
                }
                continue;
            }
            let asked = Ear::on(&database).hear(|| {
                place.store().read(ask).unwrap();
            });
            let statements = asked.sent.iter().filter_map(|sent| sent.split(" -- binds").next());
            for statement in statements.filter(|sent| sent.starts_with("SELECT")) {
                let plan = explained(&mut database.connection().unwrap().db, statement);
                // All of them by the key, in its order, is what is asked for without a filter.
                let of_all = |line: &str| {
                    line.starts_with("SCAN accounts USING INDEX") && !statement.contains("WHERE")
                };
                let sorts = |line: &str| line.starts_with("USE TEMP B-TREE");
                if plan.is_empty()
                    || plan.iter().any(|line| line.starts_with("SCAN") && !of_all(line) || sorts(line))
                {
                    let _ = writeln!(wasteful, "{what}: {plan:#?}");
                }
            }
        }
        assert!(wasteful.is_empty(), "{wasteful}");
    }
}

/// A connection keeps its plans, and those of a new database's first connections are made when its tables are empty.
#[test]
fn what_was_planned_when_there_was_nothing_is_good_for_many() {
    const SLICE: usize = 20;
    let Some(place) = testing::postgres() else { return };
    let mut connection = place.tenant_database().connection().unwrap();
    let mut work = |looks: i64, work: &mut dyn FnMut(&mut dyn TenantTx) -> Result<(), StoreError>| {
        connection.db.begin_write().unwrap();
        let mut tx = Transaction::new(Access::Write, &mut connection);
        let before = tx.read(looked_at).unwrap();
        work(&mut tx).unwrap();
        let looked = tx.read(looked_at).unwrap() - before;
        connection.db.commit().unwrap();
        assert!(looked <= looks, "{looked} rows were looked at");
    };
    let template = sample::account_of(place.scope.tenant(), &sample::stored_config("common-v1", 1));
    let mut slice = |from: usize, count: usize, looks: i64| {
        let mut accounts: Vec<_> = (from..from + count).map(|i| account(&template, i)).collect();
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let answers: Vec<_> = (from..from + count).map(|i| sample::response(&format!("key-{i}"))).collect();
        let keys: Vec<_> = answers.iter().map(|answer| answer.key.scope.as_str()).collect();
        let at = TradePlace { sequence: 1, index: 0 };
        let trades: Vec<_> = ids.iter().map(|id| sample::applied_trade(*id, "t-1", at)).collect();
        let asked: Vec<_> = trades.iter().map(|trade| (trade.account, &trade.trade.trade_id)).collect();
        let holdings: Vec<_> =
            trades.iter().map(|trade| (trade.trade.symbol.clone(), trade.account)).collect();
        work(looks, &mut |tx| {
            tx.accounts().insert(&accounts)?;
            tx.trades().insert(&trades)?;
            tx.holdings().add(&holdings)?;
            tx.idempotency().insert(&answers, sample::at(-1))?;
            assert_eq!(tx.accounts().get(&ids)?.len(), count);
            assert_eq!(tx.trades().realised(&asked)?.len(), count);
            assert_eq!(tx.idempotency().find(&keys, sample::at(-1))?.len(), count);
            accounts.iter_mut().for_each(|account| account.version += 1);
            tx.accounts().update(&accounts)?;
            tx.holdings().remove(&holdings)
        });
    };
    slice(0, 1, i64::MAX);
    slice(1, ACCOUNTS, i64::MAX);
    slice(1 + ACCOUNTS, SLICE, 10 * SLICE as i64);
}
