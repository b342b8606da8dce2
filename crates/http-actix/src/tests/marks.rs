//! Prices, and what they do to whoever holds.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tenantry_domain::event::EventType;
use tenantry_ports::{LogEntry, StoreError, TenantScope};
use tenantry_usecases::tenants::{self, TenantRef};

use super::trades::{Place, account, trade};
use super::{Reply, pairs};

const MARKS: &str = "/api/v1/tenants/acme/marks";

fn price(symbol: &str, price: f64, time: &str) -> Value {
    json!({ "symbol": symbol, "price": price, "at": format!("2024-03-05T{time}Z") })
}

async fn mark(place: &Place, marks: Value) -> Reply {
    place.world.post(MARKS, &place.key, &marks).await
}

fn outcome(reply: &Reply) -> [u64; 3] {
    let body = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{body}");
    ["revalued", "breached", "skipped"].map(|member| body[member].as_u64().unwrap())
}

/// An account of the same tenant and config that has made these trades.
async fn holder(place: &Place, trades: &[Value]) -> String {
    let holder = account(&place.world, &place.key).await;
    let path = format!("{holder}/trades");
    let reply = place.world.post(&path, &place.key, &json!(trades)).await;
    assert_eq!(reply.status, StatusCode::OK);
    holder
}

fn log(place: &Place) -> Vec<LogEntry> {
    let tenant = TenantRef::Slug("acme".parse().unwrap());
    let tenant = tenants::find(place.world.platform(), &tenant).unwrap().unwrap();
    let store = place.world.platform().stores.open(&TenantScope::serving(&tenant).unwrap()).unwrap();
    store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap()
}

#[actix_web::test]
async fn a_price_revalues_every_holder_and_nobody_else() {
    let place = Place::new().await;
    let buy = trade("t-1", "buy", 1.0, 1.1, 0);
    let long = holder(&place, std::slice::from_ref(&buy)).await;
    let short = holder(&place, &[trade("t-1", "sell", 0.5, 1.1, 0)]).await;
    let closed = holder(&place, &[buy.clone(), trade("t-2", "sell", 1.0, 1.1, 1)]).await;
    let younger = holder(&place, &[trade("t-1", "buy", 1.0, 1.1, 30)]).await;
    let state = async |path: &str| place.world.get(path, &place.key).await.json();
    let (untouched, before) = (place.state().await, state(&younger).await);
    let marks = json!([price("US500", 5000.0, "10:05:00"), price("EURUSD", 1.106, "10:06:00")]);
    assert_eq!(outcome(&mark(&place, marks.clone()).await), [2, 0, 1]);
    let (long, short) = (state(&long).await, state(&short).await);
    assert_eq!((&long["equity"], &long["highWaterMark"]), (&json!(25_600), &json!(25_600)));
    assert_eq!((&long["version"], &long["asOf"]), (&json!(3), &json!("2024-03-05T10:06:00.000Z")));
    assert_eq!((&short["equity"], &short["highWaterMark"]), (&json!(24_700), &json!(25_000)));
    assert_eq!(state(&younger).await, before);
    assert_eq!(state(&closed).await["version"], 2);
    assert_eq!(place.state().await, untouched);
    let told = log(&place);
    let event = &told.last().unwrap().event;
    assert_eq!((&event.event_type, event.account_id), (&EventType::PRICES_MARKED, None));
    assert_eq!(event.data["accounts"], json!({ "revalued": 2, "breached": 0, "skipped": 1 }));
    assert_eq!(event.data["marks"][1]["price"], json!(1.106));
    // Prices of what nobody holds change nothing, and are not told.
    assert_eq!(outcome(&mark(&place, json!([price("XAUUSD", 1.0, "11:00:00")])).await), [0, 0, 0]);
    assert_eq!(log(&place).len(), told.len());
}

#[actix_web::test]
async fn the_worked_example_breaches_a_cent_past_the_limit() {
    let place = Place::new().await;
    place.report(&trade("t-1", "buy", 1.0, 1.1, 0)).await;
    for (at, price_then, equity) in
        [("10:01:00", 1.106, 25_600), ("10:02:00", 1.093, 24_300), ("10:03:00", 1.0925, 24_250)]
    {
        assert_eq!(outcome(&mark(&place, json!([price("EURUSD", price_then, at)])).await), [1, 0, 0]);
        let state = place.state().await;
        assert_eq!((&state["status"], &state["equity"]), (&json!("active"), &json!(equity)));
    }
    assert_eq!(outcome(&mark(&place, json!([price("EURUSD", 1.09249, "10:04:00")])).await), [1, 1, 0]);
    let state = place.state().await;
    assert_eq!((&state["status"], &state["balance"]), (&json!("breached"), &json!(24_249)));
    let told = place.told().await;
    for event_type in ["rule.violation.daily_loss", "challenge.failed"] {
        assert_eq!(told.iter().filter(|told| *told == event_type).count(), 1, "{told:?}");
    }
    // Its position was closed, so it is no holder any more.
    assert_eq!(outcome(&mark(&place, json!([price("EURUSD", 1.0, "10:05:00")])).await), [0, 0, 0]);
}

#[actix_web::test]
async fn prices_are_applied_in_order_of_their_times() {
    let place = Place::new().await;
    place.report(&trade("t-1", "buy", 1.0, 1.1, 0)).await;
    let mut other = trade("t-2", "buy", 1.0, 100.0, 0);
    (other["symbol"], other["contractSize"]) = (json!("US500"), json!(1));
    place.report(&other).await;
    let marks = json!([
        price("EURUSD", 1.1001, "10:03:00"),
        price("EURUSD", 1.106, "10:01:00"),
        price("US500", 90.0, "10:02:00"),
    ]);
    assert_eq!(outcome(&mark(&place, marks.clone()).await), [1, 0, 0]);
    let state = place.state().await;
    assert_eq!((&state["equity"], &state["highWaterMark"]), (&json!(25_000), &json!(25_600)));
    assert_eq!(state["version"], 4);
    // Those of before are older than the last one, which changes nothing a second time but its time.
    let again = mark(&place, marks).await;
    assert_eq!(again.json()["breached"], 0);
    assert_eq!(place.state().await["equity"], json!(25_000));
}

#[actix_web::test]
async fn positions_that_were_closed_by_hand_are_not_revalued() {
    let place = Place::new().await;
    place.report(&trade("t-1", "buy", 1.0, 1.1, 0)).await;
    let request = actix_web::test::TestRequest::put().uri(&place.account);
    let reset = super::authorised(request, &place.key).set_json(json!({ "action": "reset" }));
    assert_eq!(place.world.send(reset).await.status, StatusCode::OK);
    let before = place.state().await;
    for time in ["10:01:00", "10:02:00"] {
        assert_eq!(outcome(&mark(&place, json!([price("EURUSD", 1.2, time)])).await), [0, 0, 0]);
    }
    assert_eq!(place.state().await, before);
}

#[actix_web::test]
async fn malformed_marks_are_told_whole_and_none_is_applied() {
    let place = Place::new().await;
    place.report(&trade("t-1", "buy", 1.0, 1.1, 0)).await;
    let before = place.state().await;
    let good = price("EURUSD", 1.2, "10:01:00");
    let body = json!([good, price("EURUSD", -1.0, "10:01:00"), { "symbol": "", "price": 1, "at": "now" }, 7]);
    let findings = mark(&place, body).await.findings("validation_failed");
    let pointers: Vec<_> = findings.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/1/price", "/2/at", "/2/symbol", "/3"]);
    assert_eq!(mark(&place, good.clone()).await.findings("validation_failed").len(), 1);
    let findings = mark(&place, json!([])).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("", "too_few_items")]));
    let findings = mark(&place, json!(vec![good; 1001])).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("", "too_many_items")]));
    assert_eq!(place.state().await, before);
}
