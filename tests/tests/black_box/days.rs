//! Days begin by themselves, and once, however many processes there are and whichever die at it.

use std::time::{Duration, Instant, SystemTime};

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use tenantry_tests::{Client, Installation, PATIENCE, Tenantry, for_each_backend};

use crate::steps::{config, lift_limits, tenant, website};

const BASE: &str = "/api/v1/tenants/acme";

/// More than are changed in one transaction.
const ACCOUNTS: usize = 520;
/// Each such one holds too much, and is paused for the rest of its day.
const PAUSED: usize = 10;

const DAY: u64 = 24 * 3600;
/// How much later it is for who comes after somebody died at it.
const LEASE: u64 = 200;

/// A time zone in which it is far from midnight, and when midnight is there.
#[expect(clippy::disallowed_methods, reason = "the processes under test go by this clock, too")]
fn zone() -> (&'static str, &'static str) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    match now.as_secs() % DAY / 3600 {
        0..8 => ("Asia/Tokyo", "T15:00:00.000Z"),
        8..16 => ("Etc/UTC", "T00:00:00.000Z"),
        _ => ("America/Phoenix", "T07:00:00.000Z"),
    }
}

/// A worker that believes to be so many seconds later.
fn worker(installation: &Installation, ahead: u64, crash_point: Option<&str>) -> Tenantry {
    let ahead = ahead.to_string();
    let crash_point = crash_point.map(|point| ("TENANTRY_TEST_CRASH_POINT", point));
    let settings: Vec<_> = crash_point.into_iter().chain([("TENANTRY_TEST_CLOCK_AHEAD", &*ahead)]).collect();
    installation.launch(&["--role", "worker"], &settings)
}

/// Accounts that hold something and the others that are paused, each in its first day; their paths.
fn accounts(site: &mut Client, zone: &str) -> Vec<String> {
    let mut config = config("days-v1");
    config["timezone"] = json!(zone);
    let rules = json!({ "dailyLossLimit": 0.03, "dailyLossAction": "pause", "leverage": 50 });
    config["challengeDefinitions"] = json!([{ "id": "phase-1", "name": "One", "rules": rules }]);
    config["payoutRules"] = json!({ "stagedPayouts": [] });
    site.post(&format!("{BASE}/configs"), &config).expect(201);
    let item = |number| json!({ "userId": format!("user-{number}"), "configId": "days-v1" });
    let items: Vec<_> = (0..ACCOUNTS).map(item).collect();
    let answer = site.post(&format!("{BASE}/accounts/bulk"), &json!({ "items": items })).expect(200).json();
    let made = answer["items"].as_array().unwrap();
    let now = &made.last().unwrap()["account"]["createdAt"];
    let path = |item: &Value| format!("{BASE}/accounts/{}", item["account"]["accountId"].as_str().unwrap());
    let paths: Vec<_> = made.iter().map(path).collect();
    for (number, path) in paths.iter().enumerate() {
        let trade = json!({
            "tradeId": "t-1", "symbol": "EURUSD", "side": "buy", "price": 1.1, "contractSize": 100_000,
            "quantity": if number % PAUSED == 0 { 1.0 } else { 0.1 }, "executedAt": now,
        });
        site.post(&format!("{path}/trades"), &trade).expect(200);
    }
    let price = json!([{ "symbol": "EURUSD", "price": 1.092, "at": now }]);
    let marked = site.post(&format!("{BASE}/marks"), &price).expect(200).json();
    assert_eq!(marked, json!({ "revalued": ACCOUNTS, "breached": 0, "skipped": 0 }));
    paths
}

/// All events of a type.
fn events(site: &mut Client, event_type: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{BASE}/events?eventType={event_type}&limit=200{cursor}");
        let page = site.get(&path).expect(200).json();
        all.extend_from_slice(page["items"].as_array().unwrap());
        if page["hasMore"] == false {
            return all;
        }
        cursor = format!("&cursor={}", page["nextCursor"].as_str().unwrap());
    }
}

/// In how many accounts a day has begun, counting each as often as that was told of.
fn rolled(site: &mut Client) -> usize {
    let rolls = events(site, "days.rolled");
    rolls.iter().map(|roll| roll["data"]["accounts"]["rolled"].as_u64().unwrap() as usize).sum()
}

#[track_caller]
fn until_rolled(site: &mut Client, count: usize) {
    let begin = Instant::now();
    while rolled(site) < count {
        assert!(begin.elapsed() < PATIENCE, "{} of {count}", rolled(site));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An account's trading day.
fn date(state: &Value) -> NaiveDate {
    state["tradingDay"].as_str().unwrap().parse().unwrap()
}

fn states(site: &mut Client, paths: &[String]) -> Vec<Value> {
    paths.iter().map(|path| site.get(path).expect(200).json()).collect()
}

#[test]
fn each_day_of_each_account_begins_once_whichever_process_dies_at_it() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        {
            let all = installation.start();
            tenant(&all, "acme");
            lift_limits(&all, "acme");
        }
        let front = installation.start_with(&["--role", "api"], &[]);
        let (mut site, mut operator) = (website(&front, "acme"), front.operator());
        let (zone, midnight) = zone();
        let paths = accounts(&mut site, zone);
        let first = states(&mut site, &paths);

        // One dies while it begins the first accounts' day, the other between them and the rest.
        worker(&installation, DAY, Some("days 2:kill:2000")).wait_for_exit();
        worker(&installation, DAY + LEASE, Some("days 3:kill")).wait_for_exit();
        assert!((1..=ACCOUNTS).contains(&rolled(&mut operator)), "some have begun, and none twice");
        let mut ahead = DAY + 2 * LEASE;
        for day in 1..3 {
            let _both = [(); 2].map(|()| worker(&installation, ahead, None));
            until_rolled(&mut operator, day * ACCOUNTS);
            ahead += DAY + LEASE;
        }
        assert_eq!(rolled(&mut operator), 2 * ACCOUNTS);

        let third = states(&mut site, &paths);
        for (number, (first, third)) in first.iter().zip(&third).enumerate() {
            assert_eq!(date(third), date(first) + Days::new(2), "{third}");
            assert!(third["asOf"].as_str().unwrap().ends_with(midnight), "{third}");
            // Each day is a change to an account, and there were no others.
            assert_eq!(third["version"].as_u64(), first["version"].as_u64().map(|version| version + 2));
            let was_paused = number % PAUSED == 0;
            assert_eq!(first["status"], if was_paused { "paused" } else { "active" }, "{first}");
            assert_eq!(third["status"], "active", "{third}");
            assert_eq!(third["openPositions"], first["openPositions"]);
            assert_eq!(third["openPositions"].as_array().unwrap().is_empty(), was_paused);
            assert_eq!(third["dayStartEquity"], first["equity"], "what is held is held at its mark");
            assert_eq!(third["realisedPnl"], json!({ "today": 0, "total": first["realisedPnl"]["total"] }));
        }
        // Who was paused trades again from the first midnight of its clock on, and that is told once.
        let resumed = events(&mut operator, "account.state_changed");
        let resumed: Vec<_> = resumed.iter().filter(|event| event["data"]["from"] == "paused").collect();
        let at = |event: &Value| event["data"]["applied"]["at"].as_str().unwrap().to_owned();
        let first_midnight = format!("{}{midnight}", date(&first[0]));
        assert!(resumed.iter().all(|event| at(event) == first_midnight), "{:?}", resumed[0]);
        assert_eq!(resumed.len(), ACCOUNTS / PAUSED);
    });
}
