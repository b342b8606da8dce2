//! Trades, reported and listed.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tenantry_ports::Scope;

use super::{Reply, World, config, get, pairs, post};

const BASE: &str = "/api/v1/tenants/acme";

/// A tenant with an account whose config allows EURUSD and US500.
pub(super) struct Place {
    pub(super) world: World,
    pub(super) key: String,
    pub(super) account: String,
}

impl Place {
    pub(super) async fn new() -> Self {
        let world = World::new();
        let (_, key) = world.tenant_and_key("acme");
        let mut document = config("25k-own-v1");
        document["allowedInstruments"] = json!(["EURUSD", "US500"]);
        assert_eq!(world.post(&format!("{BASE}/configs"), &key, &document).await.status, StatusCode::CREATED);
        let account = account(&world, &key).await;
        Self { world, key, account }
    }

    pub(super) async fn report(&self, body: &Value) -> Reply {
        self.world.post(&self.path(), &self.key, body).await
    }

    /// The same, digit for digit.
    async fn report_text(&self, body: &str) -> Reply {
        let request = post(&self.path(), &self.key).insert_header(("Content-Type", "application/json"));
        self.world.send(request.set_payload(body.to_owned())).await
    }

    fn path(&self) -> String {
        format!("{}/trades", self.account)
    }

    pub(super) async fn state(&self) -> Value {
        self.world.get(&self.account, &self.key).await.json()
    }

    /// The types of the account's events, oldest first, after its provisioning.
    pub(super) async fn told(&self) -> Vec<String> {
        let page = self.world.get(&format!("{}/audit-logs?limit=200", self.account), &self.key).await.json();
        let items = page["items"].as_array().unwrap().iter().rev();
        items.skip(1).map(|event| event["eventType"].as_str().unwrap().to_owned()).collect()
    }

    async fn listed(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.world.get(&format!("{}?limit=2{cursor}", self.path()), &self.key).await.json();
            all.extend(page["items"].as_array().unwrap().clone());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

pub(super) async fn account(world: &World, key: &str) -> String {
    let body = json!({ "userId": "ann", "configId": "25k-own-v1" });
    let made = world.post(&format!("{BASE}/accounts"), key, &body).await;
    made.header("location").unwrap().to_owned()
}

pub(super) fn trade(id: &str, side: &str, quantity: f64, price: f64, minute: u32) -> Value {
    json!({
        "tradeId": id, "symbol": "EURUSD", "side": side, "quantity": quantity, "price": price,
        "contractSize": 100_000, "executedAt": format!("2024-03-05T10:{minute:02}:00Z"),
    })
}

#[track_caller]
fn outcomes(reply: &Reply) -> Vec<(String, String)> {
    let body = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{body}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = body["results"].as_array().unwrap().iter();
    results
        .map(|result| match result["outcome"].as_str() {
            Some("refused") => (text(&result["tradeId"]), text(&result["code"])),
            _ => (text(&result["tradeId"]), text(&result["outcome"])),
        })
        .collect()
}

#[actix_web::test]
async fn trades_one_by_one_and_together_come_to_the_same_account() {
    let (one, other) = (Place::new().await, Place::new().await);
    let trades = [
        trade("t-1", "buy", 1.0, 1.1, 0),
        trade("t-2", "sell", 0.4, 1.105, 1),
        trade("t-3", "sell", 0.6, 1.1005, 1),
    ];
    for trade in &trades {
        assert_eq!(one.report(trade).await.status, StatusCode::OK);
    }
    let reply = other.report(&json!(trades)).await;
    assert_eq!(outcomes(&reply), pairs(&[("t-1", "applied"), ("t-2", "applied"), ("t-3", "applied")]));
    let (mut apart, mut together) = (one.state().await, other.state().await);
    assert_eq!((&apart["version"], &together["version"]), (&json!(4), &json!(2)));
    for state in [&mut apart, &mut together] {
        for member in ["accountId", "tenantId", "version", "createdAt", "updatedAt", "configHash"] {
            state.as_object_mut().unwrap().remove(member);
        }
    }
    assert_eq!(apart, together);
    assert_eq!(together["realisedPnl"]["total"], json!(230));
    assert_eq!(together["openPositions"], json!([]));

    // What is told at once is what a look at the account tells.
    let told = reply.json();
    for member in ["status", "balance", "equity", "realisedPnl", "highWaterMark", "ruleStatuses", "asOf"] {
        assert_eq!(told[member], together[member], "{member}");
    }
    let realised: Vec<_> =
        told["results"].as_array().unwrap().iter().map(|r| r["realisedPnl"].clone()).collect();
    assert_eq!(realised, [json!(0), json!(200), json!(30)]);
    assert_eq!(told["violations"], json!([]));

    for place in [&one, &other] {
        let listed = place.listed().await;
        let members = |name: &str| listed.iter().map(|trade| trade[name].clone()).collect::<Vec<_>>();
        assert_eq!(members("tradeId"), ["t-1", "t-2", "t-3"]);
        assert_eq!(members("realisedPnl"), realised);
    }
    assert_eq!(other.told().await, ["account.traded", "account.state_changed"]);
}

#[actix_web::test]
async fn a_trade_that_comes_again_changes_nothing() {
    let place = Place::new().await;
    let first = trade("t-1", "buy", 1.0, 1.1, 0);
    let reply = place.report(&json!([first, first, trade("t-2", "sell", 1.0, 1.101, 1)])).await;
    assert_eq!(outcomes(&reply), pairs(&[("t-1", "applied"), ("t-1", "duplicate"), ("t-2", "applied")]));
    let before = place.state().await;
    // Older than what was applied since, and with another price: it is the same trade.
    let again =
        place.report(&json!([trade("t-1", "buy", 1.0, 9.0, 0), trade("t-2", "sell", 1.0, 1.101, 1)])).await;
    assert_eq!(outcomes(&again), pairs(&[("t-1", "duplicate"), ("t-2", "duplicate")]));
    assert_eq!(again.json()["results"][1]["realisedPnl"], json!(100));
    assert_eq!(place.state().await, before);
    assert_eq!(place.told().await.len(), 2, "nothing happened, and nothing is told");
}

#[actix_web::test]
async fn a_trade_that_comes_again_with_a_later_time_changes_nothing() {
    let place = Place::new().await;
    let trades = json!([trade("t-1", "buy", 1.0, 1.1, 0), trade("t-2", "buy", 1.0, 1.1, 1)]);
    place.report(&trades).await;
    let before = place.state().await;
    // It would be applied, or refused for its symbol or its place among the others, were it another one.
    let mut odd = trade("t-2", "buy", 1.0, 1.1, 7);
    odd["symbol"] = json!("GBPUSD");
    for again in [trade("t-1", "sell", 1.0, 1.2, 9), odd.clone()] {
        let reply = place.report(&again).await;
        assert_eq!(reply.json()["results"][0]["outcome"], "duplicate", "{again}");
        assert_eq!(place.state().await, before);
    }
    let new = trade("t-3", "sell", 1.0, 1.1, 8);
    let reply = place.report(&json!([new, trade("t-1", "buy", 1.0, 1.1, 7), odd])).await;
    assert_eq!(outcomes(&reply), pairs(&[("t-3", "applied"), ("t-1", "duplicate"), ("t-2", "duplicate")]));
    assert_eq!(place.listed().await.len(), 3);
}

#[actix_web::test]
async fn a_refused_trade_does_no_harm_and_may_come_again() {
    let place = Place::new().await;
    let mut forbidden = trade("t-2", "buy", 1.0, 1.1, 1);
    forbidden["symbol"] = json!("GBPUSD");
    let late = trade("t-3", "sell", 1.0, 1.1, 0);
    let trades = json!([trade("t-1", "buy", 1.0, 1.1, 5), forbidden, late]);
    let reply = place.report(&trades).await;
    // The instrument is looked at before the time would be, were it not out of order already.
    let expected = [("t-1", "applied"), ("t-2", "out_of_order"), ("t-3", "out_of_order")];
    assert_eq!(outcomes(&reply), pairs(&expected));
    forbidden["executedAt"] = json!("2024-03-05T10:06:00Z");
    let before = place.state().await;
    let reply = place.report(&forbidden).await;
    assert_eq!(outcomes(&reply), pairs(&[("t-2", "instrument")]));
    let broken = &reply.json()["violations"][0];
    assert_eq!((&broken["tradeId"], &broken["rule"]), (&json!("t-2"), &json!("instrument")));
    assert_eq!(broken["value"], "GBPUSD");
    assert_eq!(place.state().await, before);
    assert_eq!(place.told().await.last().unwrap(), "rule.violation.instrument");
    forbidden["symbol"] = json!("EURUSD");
    assert_eq!(outcomes(&place.report(&forbidden).await), pairs(&[("t-2", "applied")]));
}

#[actix_web::test]
async fn a_breach_ends_the_account_and_what_was_applied_stays_a_duplicate() {
    let place = Place::new().await;
    let trades = json!([
        trade("t-1", "buy", 1.0, 1.1, 0),
        trade("t-2", "sell", 0.1, 1.09, 1),
        trade("t-3", "buy", 1.0, 1.1, 2),
    ]);
    let reply = place.report(&trades).await;
    assert_eq!(outcomes(&reply), pairs(&[("t-1", "applied"), ("t-2", "applied"), ("t-3", "account_final")]));
    let told = reply.json();
    assert_eq!((&told["status"], &told["balance"]), (&json!("breached"), &json!(24_000)));
    let broken = &told["violations"][0];
    assert_eq!((&broken["tradeId"], &broken["rule"]), (&json!("t-2"), &json!("daily_loss")));
    assert_eq!((&broken["value"], &broken["limit"]), (&json!(1000), &json!(750)));
    let events = place.told().await;
    assert_eq!(&events[..2], ["account.traded", "account.state_changed"]);
    for event_type in ["rule.violation.daily_loss", "challenge.failed", "account.updated"] {
        assert!(events.iter().any(|told| told == event_type), "{event_type}: {events:?}");
    }
    assert_eq!(place.listed().await.len(), 2);
    let again = place.report(&trades).await;
    let expected = [("t-1", "duplicate"), ("t-2", "duplicate"), ("t-3", "account_final")];
    assert_eq!(outcomes(&again), pairs(&expected));
}

#[actix_web::test]
async fn what_is_malformed_is_told_whole_and_nothing_of_it_is_applied() {
    let place = Place::new().await;
    let before = place.state().await;
    let good = trade("t-1", "buy", 1.0, 1.1, 0);
    let with = |member: &str, value: Value| {
        let mut trade = good.clone();
        trade[member] = value;
        trade
    };
    let mut lacking = good.clone();
    lacking.as_object_mut().unwrap().remove("executedAt");
    let body = json!([
        good,
        with("price", json!("1.1")),
        with("quantity", json!(0)),
        lacking,
        with("tradeId", json!(" ")),
        with("fee", json!(1)),
        7,
        ["t-1"],
    ]);
    let findings = place.report(&body).await.findings("validation_failed");
    let pointers: Vec<_> = findings.iter().map(|(pointer, _)| pointer.as_str()).collect();
    for pointer in ["/1/price", "/2/quantity", "/4/tradeId", "/5/fee", "/6", "/7"] {
        assert!(pointers.contains(&pointer), "{pointer}: {findings:?}");
    }
    assert!(pointers.iter().any(|pointer| pointer.starts_with("/3")), "{findings:?}");
    assert!(!pointers.iter().any(|pointer| pointer.starts_with("/0")), "{findings:?}");
    let findings = place.report(&with("side", json!("hold"))).await.findings("validation_failed");
    assert_eq!(findings[0].0, "/side");
    // Neither can be said in a schema.
    let exact = |number: &str| good.to_string().replace("1.1", number);
    let long = exact("1.0000000000000000000000000000001");
    let findings = place.report_text(&format!("[{good},{long}]")).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("/1/price", "invalid_value")]));
    let findings = place.report_text(&exact("1e300")).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("/price", "invalid_value")]));
    let findings = place.report(&json!([])).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("", "too_few_items")]));
    let findings = place.report(&json!(vec![good; 1001])).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("", "too_many_items")]));
    assert_eq!(place.state().await, before);
}

#[actix_web::test]
async fn a_request_that_comes_again_with_its_key_gets_the_first_answer() {
    let place = Place::new().await;
    let send = |path: String, body: Value| {
        place.world.send(post(&path, &place.key).insert_header(("Idempotency-Key", "k")).set_json(body))
    };
    let body = json!([trade("t-1", "buy", 1.0, 1.1, 0)]);
    let first = send(place.path(), body.clone()).await;
    let second = send(place.path(), body.clone()).await;
    assert_eq!((first.status, &first.bytes), (StatusCode::OK, &second.bytes));
    assert_eq!(
        (first.header("idempotent-replayed"), second.header("idempotent-replayed")),
        (None, Some("true"))
    );
    assert_eq!(outcomes(&second), pairs(&[("t-1", "applied")]));
    send(place.path(), json!([trade("t-2", "buy", 1.0, 1.1, 0)])).await.problem("idempotency_key_reused");
    // The same key and trades of another account are another request.
    let other = account(&place.world, &place.key).await;
    let elsewhere = send(format!("{other}/trades"), body).await;
    assert_eq!(outcomes(&elsewhere), pairs(&[("t-1", "applied")]));
    assert_eq!(elsewhere.header("idempotent-replayed"), None);
}

#[actix_web::test]
async fn trades_of_no_account_and_by_nobody_are_refused() {
    let place = Place::new().await;
    let body = trade("t-1", "buy", 1.0, 1.1, 0);
    for id in ["acc_0195c0de00007000800000000000000a", "nonsense"] {
        let path = format!("{BASE}/accounts/{id}/trades");
        place.world.post(&path, &place.key, &body).await.problem("account_not_found");
        place.world.get(&path, &place.key).await.problem("account_not_found");
    }
    let (other, foreign) = place.world.tenant_and_key("other");
    assert_ne!(place.world.post(&place.path(), &foreign, &body).await.status, StatusCode::OK);
    let elsewhere = place.path().replace("acme", "other");
    place.world.post(&elsewhere, &foreign, &body).await.problem("account_not_found");
    place.world.get(&elsewhere, &foreign).await.problem("account_not_found");
    let reader = place.world.key(Some(other), &[Scope::AccountsWrite, Scope::AccountsRead]);
    assert_eq!(place.world.post(&elsewhere, &reader, &body).await.status, StatusCode::FORBIDDEN);
    let page = place.world.send(get(&format!("{}?cursor=zzz", place.path()), &place.key)).await;
    page.problem("invalid_cursor");
    assert!(place.listed().await.is_empty());
}

#[actix_web::test]
async fn many_reports_of_one_account_at_once_are_all_applied_once() {
    let place = Place::new().await;
    let at = |n: u32| trade(&format!("t-{n}"), "buy", 0.001, 1.1, 7);
    let reports: Vec<_> = (0..100).map(|n| (at(n), at(n / 2))).map(|(a, b)| json!([a, b])).collect();
    let replies = futures_util::future::join_all(reports.iter().map(|report| place.report(report))).await;
    let applied: usize = replies
        .iter()
        .map(|reply| outcomes(reply).iter().filter(|(_, outcome)| outcome == "applied").count())
        .sum();
    assert_eq!(applied, 100);
    let state = place.state().await;
    assert_eq!(state["openPositions"][0]["quantity"], json!(0.1));
    assert_eq!(state["days"][0]["trades"], 100);
    assert_eq!(place.listed().await.len(), 100);
}
