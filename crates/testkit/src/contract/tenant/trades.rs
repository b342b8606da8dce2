//! Facts about trades, and about which accounts may hold a symbol.

use std::sync::Arc;

use tenantry_domain::Amount;
use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::config::Symbol;
use tenantry_domain::id::AccountId;
use tenantry_ports::{Constraint, StoreResult, TenantStore};

use crate::contract::{Subject, conflict, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn applied(account: AccountId, id: &str, sequence: i64, index: u32) -> AppliedTrade {
    sample::applied_trade(account, id, TradePlace { sequence, index })
}

fn add(store: &Store, trades: &[AppliedTrade]) -> StoreResult<()> {
    store.write(|tx| tx.trades().insert(trades))
}

fn of_account(
    store: &Store,
    account: AccountId,
    after: Option<TradePlace>,
    limit: usize,
) -> Vec<AppliedTrade> {
    store.read(|tx| tx.trades().of_account(account, after, limit)).expect("a page")
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).expect("a symbol")
}

/// Every member comes back as it went in, digit for digit.
pub fn a_trade_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let account = sample::id();
    let odd = applied(account, sample::ODD_TEXT, i64::from(u32::MAX) + 7, 999);
    add(&store, std::slice::from_ref(&odd)).expect("the trade is added");
    add(&store, &[]).expect("nothing is added");
    assert_eq!(of_account(&store, account, None, 10), [odd]);
}

/// A trade id is given once within an account, in whichever request it comes.
pub fn a_trade_id_is_taken_once_in_an_account(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (account, other) = (sample::id(), sample::id());
    add(&store, &[applied(account, "t", 1, 0), applied(other, "t", 1, 1)]).expect("they are added");
    let again = add(&store, &[applied(account, "u", 2, 0), applied(account, "t", 2, 1)]);
    assert!(conflict(&again, Constraint::TradeId), "{again:?}");
    let twice = add(&store, &[applied(account, "v", 2, 0), applied(account, "v", 2, 1)]);
    assert!(conflict(&twice, Constraint::TradeId), "{twice:?}");
    assert_eq!(of_account(&store, account, None, 10).len(), 1);
}

/// Those that were applied are told with what they realised, however often they are asked for; the others are not.
pub fn what_was_applied_is_found_by_account_and_id(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (account, other) = (sample::id(), sample::id());
    add(&store, &[applied(account, "a", 1, 0), applied(account, "b", 1, 1)]).expect("they are added");
    add(&store, &[applied(other, "c", 2, 0)]).expect("it is added");
    let [a, b, c] = ["a", "b", "c"].map(|id| TradeId::new(id).expect("a trade id"));
    let asked = [(account, &b), (account, &a), (account, &c), (other, &c), (other, &a), (account, &a)];
    let mut found = store.read(|tx| tx.trades().realised(&asked)).expect("an answer");
    found.sort_by_key(|(_, id, _)| id.clone());
    let realised: Amount = "-12345678901234567890.12345678".parse().expect("an amount");
    assert_eq!(found, [(account, a, realised), (account, b, realised), (other, c, realised)]);
    assert!(store.read(|tx| tx.trades().realised(&[])).expect("an answer").is_empty());
}

/// Pages of an account's trades follow the order in which they were applied, and no other account's are among them.
pub fn trades_are_in_the_order_in_which_they_were_applied(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (account, other) = (sample::id(), sample::id());
    add(&store, &[applied(account, "z", 3, 0), applied(account, "y", 3, 1)]).expect("they are added");
    add(&store, &[applied(other, "x", 4, 0), applied(account, "a", 10, 0)]).expect("they are added");
    let mut all: Vec<AppliedTrade> = Vec::new();
    loop {
        let page = of_account(&store, account, all.last().map(|trade| trade.place), 1);
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let ids: Vec<_> = all.iter().map(|applied| applied.trade.trade_id.as_str()).collect();
    assert_eq!(ids, ["z", "y", "a"]);
    assert_eq!(of_account(&store, account, None, 10), all);

    let mut paged: Vec<AppliedTrade> = Vec::new();
    loop {
        let after = paged.last().map(|trade| (trade.account, trade.place));
        let page = store.read(|tx| tx.trades().page(after, 3)).expect("a page");
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    let mut expected = [all, of_account(&store, other, None, 10)];
    expected.sort_by_key(|trades| trades[0].account);
    assert_eq!(paged, expected.concat());
}

/// Who holds a symbol is noted once and until it is taken back.
pub fn holders_are_noted_once_and_until_they_are_removed(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut accounts: [AccountId; 3] = [sample::id(), sample::id(), sample::id()];
    accounts.sort();
    let [a, b, c] = accounts;
    let [eur, gold] = ["EURUSD", "XAU USD"].map(symbol);
    let holders = |symbols: &[Symbol]| store.read(|tx| tx.holdings().holders(symbols)).expect("an answer");
    assert!(holders(std::slice::from_ref(&eur)).is_empty());
    let first = [(eur.clone(), c), (eur.clone(), a), (gold.clone(), a)];
    store.write(|tx| tx.holdings().add(&first)).expect("they are noted");
    let second = [(eur.clone(), a), (gold.clone(), b)];
    store.write(|tx| tx.holdings().add(&second)).expect("they are noted");
    let of_eur = |accounts: &[AccountId]| accounts.iter().map(|id| (*id, eur.clone())).collect::<Vec<_>>();
    assert_eq!(holders(std::slice::from_ref(&eur)), of_eur(&[a, c]));
    let all = [(a, eur.clone()), (a, gold.clone()), (b, gold.clone()), (c, eur.clone())];
    assert_eq!(holders(&[gold.clone(), eur.clone(), symbol("OTHER")]), all);
    let gone = [(eur.clone(), a), (eur.clone(), b)];
    store.write(|tx| tx.holdings().remove(&gone)).expect("they are removed");
    assert_eq!(holders(std::slice::from_ref(&eur)), of_eur(&[c]));
    assert_eq!(holders(std::slice::from_ref(&gold)), [(a, gold.clone()), (b, gold)]);
    assert!(holders(&[]).is_empty());
    store
        .write::<_, tenantry_ports::StoreError>(|tx| {
            tx.holdings().add(&[])?;
            tx.holdings().remove(&[])
        })
        .expect("nothing is done");
}
