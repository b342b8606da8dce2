//! Trades and prices: whatever dies, and whoever reports what again, each trade counts once.

use std::array;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use tenantry_tests::{Client, Installation, Tenantry, for_each_backend};

use crate::steps::{lift_limits, tenant, website};

const BASE: &str = "/api/v1/tenants/acme";

/// A new account of 25,000; its path.
fn account(site: &mut Client) -> String {
    let body = json!({ "userId": "ann", "configId": "demo-25k-eval-v1" });
    site.post(&format!("{BASE}/accounts"), &body).expect(201).header("Location").unwrap().to_owned()
}

fn buy(id: &str, quantity: f64) -> Value {
    json!({
        "tradeId": id, "symbol": "EURUSD", "side": "buy", "quantity": quantity, "price": 1.1,
        "contractSize": 100_000, "executedAt": "2025-01-10T15:30:00Z",
    })
}

/// The `n`th of the trades of which [`assert_each_once`] knows what they come to.
fn nth(n: usize) -> Value {
    let mut trade = buy(&format!("t-{n}"), 0.001);
    trade["commission"] = json!(commission(n) as f64 / 1000.0);
    trade
}

/// What the `n`th trade costs, in thousandths.
const fn commission(n: usize) -> usize {
    1 + n % 97
}

/// That the account stands as if each of the first `count` trades had been applied to it once.
#[track_caller]
fn assert_each_once(site: &mut Client, account: &str, count: usize) {
    let listed = listed(site, account);
    let ids: BTreeSet<_> = listed.iter().map(|trade| text(trade, "tradeId")).collect();
    assert_eq!((listed.len(), ids), (count, (0..count).map(|n| format!("t-{n}")).collect()));
    let state = site.get(account).expect(200).json();
    let balance = 25_000_000 - (0..count).map(commission).sum::<usize>();
    assert_eq!(state["balance"], json!(balance as f64 / 1000.0), "{state}");
    assert_eq!(state["openPositions"][0]["quantity"], number(count as f64 / 1000.0), "{state}");
}

/// As it is written: whole numbers without a point.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap().to_owned()
}

/// How many of an answer's trades had this outcome.
fn count(answer: &Value, outcome: &str) -> usize {
    answer["results"].as_array().unwrap().iter().filter(|result| result["outcome"] == outcome).count()
}

/// All trades of an account, page by page.
fn listed(site: &mut Client, account: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("{account}/trades?limit=200{cursor}")).expect(200).json();
        all.extend_from_slice(page["items"].as_array().unwrap());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[test]
fn a_thousand_trades_are_applied_once_and_survive_a_crash() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let account = account(&mut site);
        let path = format!("{account}/trades");
        let trades: Vec<_> = (0..1000).map(nth).collect();
        let first = site.post(&path, &json!(trades)).expect(200).json();
        assert_eq!((count(&first, "applied"), &first["version"]), (1000, &json!(2)));
        assert_each_once(&mut site, &account, 1000);

        tenantry.restart();
        let mut site = tenantry.client().with_bearer(site.bearer());
        let again = site.post(&path, &json!(trades)).expect(200).json();
        assert_eq!((count(&again, "duplicate"), &again["version"]), (1000, &json!(2)));
        assert_each_once(&mut site, &account, 1000);
        // In the order in which they were reported.
        let ids: Vec<_> = listed(&mut site, &account).iter().map(|trade| text(trade, "tradeId")).collect();
        assert_eq!(ids, (0..1000).map(|n| format!("t-{n}")).collect::<Vec<_>>());
        // Whatever is wrong keeps all of it from being applied.
        let malformed = json!([buy("t-new", 1.0), { "tradeId": "t-2" }]);
        assert_eq!(site.post(&path, &malformed).expect(400).json()["code"], "validation_failed");
        assert_each_once(&mut site, &account, 1000);
    });
}

#[test]
fn of_trades_acknowledged_before_a_kill_none_is_lost_and_none_is_applied_again() {
    /// Trades of an account, some of them reported one by one and some in arrays.
    const TRADES: usize = 600;
    const REPORTERS: usize = 4;
    let portion = |first: usize| if first.is_multiple_of(3) { 1 } else { 5 };
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        lift_limits(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let accounts = [account(&mut site), account(&mut site)];
        let acknowledged = AtomicUsize::new(0);
        // Of each account, what was acknowledged by whom it was reported to.
        let known: Vec<(usize, Value)> = thread::scope(|scope| {
            let (tenantry, site, accounts, acknowledged) = (&tenantry, &site, &accounts, &acknowledged);
            let reporter = |which: usize, reporter: usize| {
                let mut own = tenantry.client().with_bearer(site.bearer());
                let (mut at, mut known) = (reporter * TRADES / REPORTERS, Vec::new());
                let end = (reporter + 1) * TRADES / REPORTERS;
                while at < end {
                    let next = end.min(at + portion(at));
                    let trades: Vec<_> = (at..next).map(nth).collect();
                    let path = format!("{}/trades", accounts[which]);
                    let Ok(answer) = own.request("POST", &path).json(&json!(trades)).try_send() else {
                        return known;
                    };
                    let answer = answer.expect(200).json();
                    assert_eq!(count(&answer, "applied"), next - at, "{answer}");
                    known.extend(answer["results"].as_array().unwrap().iter().map(|r| (which, r.clone())));
                    if acknowledged.fetch_add(next - at, Ordering::Relaxed) < TRADES
                        && acknowledged.load(Ordering::Relaxed) >= TRADES
                    {
                        tenantry.signal("KILL");
                    }
                    at = next;
                }
                known
            };
            let threads: Vec<_> = (0..2 * REPORTERS)
                .map(|number| scope.spawn(move || reporter(number % 2, number / 2)))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(known.len() < 2 * TRADES, "it was killed before all of them were reported");

        tenantry.restart();
        let mut site = tenantry.client().with_bearer(site.bearer());
        for (which, account) in accounts.iter().enumerate() {
            let kept: BTreeSet<_> =
                listed(&mut site, account).iter().map(|trade| text(trade, "tradeId")).collect();
            let mut acknowledged = known.iter().filter(|(of, _)| *of == which).map(|(_, result)| result);
            assert!(acknowledged.all(|result| kept.contains(result["tradeId"].as_str().unwrap())));
            // Everything again: what was kept, acknowledged or not, is a duplicate.
            let trades: Vec<_> = (0..TRADES).map(nth).collect();
            let again = site.post(&format!("{account}/trades"), &json!(trades)).expect(200).json();
            assert_eq!(count(&again, "duplicate"), kept.len());
            assert_eq!(count(&again, "applied"), TRADES - kept.len());
            assert_each_once(&mut site, account, TRADES);
        }
    });
}

#[test]
fn of_trades_reported_to_three_processes_each_is_applied_by_one() {
    const PROCESSES: usize = 3;
    const TRADES: usize = 420;
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let processes: [_; PROCESSES] = array::from_fn(|_| installation.start());
        tenant(&processes[0], "acme");
        lift_limits(&processes[0], "acme");
        let mut site = website(&processes[0], "acme");
        let account = account(&mut site);
        let path = format!("{account}/trades");
        let mut clients = processes.each_ref().map(|process| process.client().with_bearer(site.bearer()));
        let mut answers = processes.each_ref().map(|_| Vec::new());
        // One by one at first, then in arrays. Each process begins with others of a round's trades, so that
        // none is merely the one who is ahead.
        let mut at = 0;
        while at < TRADES {
            let each = if at < TRADES / 2 { 1 } else { 10 };
            thread::scope(|scope| {
                for (number, (own, results)) in clients.iter_mut().zip(&mut answers).enumerate() {
                    let path = &path;
                    scope.spawn(move || {
                        for turn in 0..PROCESSES {
                            let first = at + (number + turn) % PROCESSES * each;
                            let trades: Vec<_> = (first..first + each).map(nth).collect();
                            let answer = own.post(path, &json!(trades)).expect(200).json();
                            results.extend_from_slice(answer["results"].as_array().unwrap());
                        }
                    });
                }
            });
            at += PROCESSES * each;
        }
        let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for result in answers.iter().flatten() {
            outcomes.entry(text(result, "tradeId")).or_default().push(text(result, "outcome"));
        }
        assert_eq!(outcomes.len(), TRADES);
        for (id, outcomes) in &mut outcomes {
            outcomes.sort_unstable();
            assert_eq!(*outcomes, ["applied", "duplicate", "duplicate"], "{id}");
        }
        let appliers = answers.iter().filter(|results| results.iter().any(|r| r["outcome"] == "applied"));
        assert_eq!(appliers.count(), PROCESSES, "they were at it at the same time");
        assert_each_once(&mut site, &account, TRADES);
    });
}

#[test]
fn trades_of_many_reporters_are_applied_one_after_another_in_the_order_they_are_listed_in() {
    const REPORTERS: usize = 6;
    const EACH: usize = 40;
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        lift_limits(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let (shared, twin) = (account(&mut site), account(&mut site));
        // What a trade brings depends on what came before it.
        let trade = |reporter: usize, n: usize| {
            let mut trade = buy(&format!("t-{reporter}-{n:02}"), 0.01 + (n % 3) as f64 / 100.0);
            trade["side"] = json!(if (reporter + n / 2).is_multiple_of(2) { "buy" } else { "sell" });
            trade["price"] = json!(1.1 + ((7 * n + reporter) % 13) as f64 / 10_000.0);
            trade
        };
        thread::scope(|scope| {
            for reporter in 0..REPORTERS {
                let (mut own, path) =
                    (tenantry.client().with_bearer(site.bearer()), format!("{shared}/trades"));
                scope.spawn(move || {
                    for n in 0..EACH {
                        let answer = own.post(&path, &trade(reporter, n)).expect(200).json();
                        assert_eq!(count(&answer, "applied"), 1, "{answer}");
                    }
                });
            }
        });
        let trades = listed(&mut site, &shared);
        assert_eq!(trades.len(), REPORTERS * EACH);
        for reporter in 0..REPORTERS {
            let of_reporter = format!("t-{reporter}-");
            let ids = trades.iter().map(|trade| text(trade, "tradeId"));
            let own: Vec<_> = ids.filter(|id| id.starts_with(&of_reporter)).collect();
            assert!(own.is_sorted(), "{own:?}");
        }
        // Another account that is told of them in this order by one reporter stands the same.
        let replay: Vec<_> = trades.iter().map(reported).collect();
        site.post(&format!("{twin}/trades"), &json!(replay)).expect(200);
        let realised = |trades: &[Value]| trades.iter().map(|t| t["realisedPnl"].clone()).collect::<Vec<_>>();
        assert_eq!(realised(&listed(&mut site, &twin)), realised(&trades));
        let mut state = |account: &str| site.get(account).expect(200).json();
        let (one, other) = (state(&shared), state(&twin));
        assert_ne!(one["realisedPnl"]["total"], json!(0));
        for member in ["balance", "equity", "highWaterMark", "realisedPnl", "openPositions", "ruleStatuses"] {
            assert_eq!(one[member], other[member], "{member}");
        }
    });
}

/// A trade of a list as it is reported.
fn reported(listed: &Value) -> Value {
    let mut trade = listed.clone();
    let members = trade.as_object_mut().unwrap();
    members.retain(|name, _| !["realisedPnl", "sequence"].contains(&name.as_str()));
    trade
}

#[test]
fn a_price_breaches_whoever_holds_too_much() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let [large, small, none] = [1.0, 0.001, 0.0].map(|quantity| {
            let account = account(&mut site);
            if quantity > 0.0 {
                site.post(&format!("{account}/trades"), &buy("t-1", quantity)).expect(200);
            }
            account
        });
        let price = |price: f64, at: &str| json!([{ "symbol": "EURUSD", "price": price, "at": at }]);
        // A daily loss of 750 is allowed: at it an account is alive, beyond it not.
        let mut mark = |price: Value| site.post(&format!("{BASE}/marks"), &price).expect(200).json();
        let alive = mark(price(1.0925, "2025-01-10T15:31:00Z"));
        assert_eq!(alive, json!({ "revalued": 2, "breached": 0, "skipped": 0 }));
        let breach = price(1.09, "2025-01-10T15:32:00Z");
        assert_eq!(mark(breach.clone()), json!({ "revalued": 2, "breached": 1, "skipped": 0 }));
        // What is breached holds nothing; what is late changes nothing.
        assert_eq!(mark(breach), json!({ "revalued": 1, "breached": 0, "skipped": 0 }));
        let late = mark(price(1.2, "2025-01-10T15:31:30Z"));
        assert_eq!(late, json!({ "revalued": 0, "breached": 0, "skipped": 1 }));

        let state = |site: &mut Client, account: &str| {
            let state = site.get(account).expect(200).json();
            (text(&state, "status"), state["equity"].clone())
        };
        assert_eq!(state(&mut site, &large), ("breached".to_owned(), json!(24_000)));
        assert_eq!(state(&mut site, &small), ("active".to_owned(), json!(24_999)));
        assert_eq!(state(&mut site, &none), ("provisioned".to_owned(), json!(25_000)));
        let violations = site.get(&format!("{large}/violations")).expect(200).json();
        assert_eq!(violations["items"][0]["rule"], "daily_loss", "{violations}");
        let late = site.post(&format!("{large}/trades"), &buy("t-2", 0.001)).expect(200).json();
        assert_eq!(late["results"][0]["code"], "account_final");
        // What was applied before it ended is known for ever.
        let again = site.post(&format!("{large}/trades"), &buy("t-1", 1.0)).expect(200).json();
        assert_eq!(count(&again, "duplicate"), 1);
    });
}
