//! What people do to an account: change, close, migrate.

mod migrations;
mod notes;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_domain::account::engine::{AccountEvent, Rulebook, apply};
use tenantry_domain::account::{Account, AccountState};
use tenantry_domain::config::AccountConfig;
use tenantry_domain::id::AccountId;
use tenantry_ports::{Clock as _, StoreError, TenantScope};
use tenantry_usecases::tenants::{self, TenantRef};

use super::{Reply, World, authorised, config, pairs};

const BASE: &str = "/api/v1/tenants/acme";

/// A tenant with a config, of which an upload makes the next version, and an account of it.
struct Place {
    world: World,
    scope: TenantScope,
    key: String,
    path: String,
    id: AccountId,
}

impl Place {
    async fn new() -> Self {
        let world = World::new();
        let (tenant, key) = world.tenant_and_key("acme");
        let tenant = tenants::find(world.platform(), &TenantRef::Id(tenant)).unwrap().unwrap();
        let scope = TenantScope::serving(&tenant).unwrap();
        let settings = json!({ "versioningStrategy": "internal" });
        let request = TestRequest::put().uri(&format!("{BASE}/settings")).set_json(settings);
        assert_eq!(world.send(authorised(request, &key)).await.status, StatusCode::OK);
        let mut document = config("25k-own-v1");
        document["challengeDefinitions"][0]["durationDays"] = json!(30);
        assert_eq!(world.post(&format!("{BASE}/configs"), &key, &document).await.status, StatusCode::CREATED);
        let body = json!({ "userId": "ann", "configId": "25k-own-v1", "meta": { "plan": "gold" } });
        let made = world.post(&format!("{BASE}/accounts"), &key, &body).await;
        let path = made.header("location").unwrap().to_owned();
        let id = made.json()["accountId"].as_str().unwrap().parse().unwrap();
        Self { world, scope, key, path, id }
    }

    async fn upload(&self, change: impl FnOnce(&mut Value)) -> StatusCode {
        let mut document = config("25k-own-v1");
        change(&mut document);
        self.world.post(&format!("{BASE}/configs"), &self.key, &document).await.status
    }

    fn stored(&self) -> Account {
        let store = self.world.platform().stores.open(&self.scope).unwrap();
        store.read::<_, StoreError>(|tx| tx.accounts().get(&[self.id])).unwrap().remove(0)
    }

    fn rules(&self) -> (AccountConfig, Rulebook) {
        let account = self.stored();
        let store = self.world.platform().stores.open(&self.scope).unwrap();
        let version = Some(account.config_version);
        let config = store.read::<_, StoreError>(|tx| tx.configs().get(&account.config_id, version)).unwrap();
        let config: AccountConfig = serde_json::from_value(config.unwrap().resolved).unwrap();
        let rules = Rulebook::of(&config);
        (config, rules)
    }

    /// What the account's engine reports, without the product's ways to report it.
    fn happen(&self, event: Value) {
        let event: AccountEvent = serde_json::from_value(event).unwrap();
        let Account { state, version, .. } = self.stored();
        let (state, outcome) = apply(&self.rules().1, state, &event);
        assert_eq!(outcome.refusal, None);
        self.world
            .test
            .world
            .put_account(&self.scope, Account { state, version: version + 1, ..self.stored() })
            .unwrap();
    }

    fn now(&self) -> String {
        tenantry_domain::timestamp::to_text(self.world.test.clock.now())
    }

    /// Buys one lot at 1.10000 and marks it there.
    fn buy(&self) {
        self.happen(json!({
            "type": "TradeExecuted", "tradeId": "t-1", "symbol": "EURUSD", "side": "buy", "quantity": 1,
            "price": 1.1, "contractSize": 100_000, "executedAt": self.now()
        }));
    }

    fn mark(&self, price: &str) {
        let text =
            format!(r#"{{"type":"PriceMarked","symbol":"EURUSD","price":{price},"at":"{}"}}"#, self.now());
        self.happen(serde_json::from_str(&text).unwrap());
    }

    async fn put(&self, body: Value) -> Reply {
        let request = TestRequest::put().uri(&self.path).set_json(body);
        self.world.send(authorised(request, &self.key)).await
    }

    async fn put_if(&self, tag: &str, body: Value) -> Reply {
        let request = TestRequest::put().uri(&self.path).insert_header(("If-Match", tag)).set_json(body);
        self.world.send(authorised(request, &self.key)).await
    }

    async fn delete(&self, query: &str) -> Reply {
        let request = TestRequest::delete().uri(&format!("{}{query}", self.path));
        self.world.send(authorised(request, &self.key)).await
    }

    async fn migrate(&self, body: Value) -> Reply {
        self.world.post(&format!("{}/migrate", self.path), &self.key, &body).await
    }

    async fn read(&self) -> Value {
        self.world.get(&self.path, &self.key).await.json()
    }

    /// What happened to the account, oldest first.
    async fn events(&self) -> Vec<Value> {
        let log = self.world.get(&format!("{}/audit-logs?limit=200", self.path), &self.key).await.json();
        let mut events = log["items"].as_array().unwrap().clone();
        events.reverse();
        events
    }

    async fn types(&self) -> Vec<String> {
        self.events().await.iter().map(|event| event["eventType"].as_str().unwrap().to_owned()).collect()
    }
}

#[actix_web::test]
async fn an_account_is_disabled_and_is_again_what_it_was() {
    let place = Place::new().await;
    place.buy();
    let disabled = place.put(json!({ "status": "disabled" })).await;
    assert_eq!((disabled.status, disabled.header("etag")), (StatusCode::OK, Some("\"3\"")));
    assert_eq!(disabled.json()["status"], "disabled");
    assert_eq!(place.read().await, disabled.json());
    let again = place.put(json!({ "status": "disabled" })).await;
    assert_eq!((again.header("etag"), &again.bytes), (Some("\"3\""), &disabled.bytes));
    assert_eq!(place.put(json!({ "status": "enabled" })).await.json()["status"], "active");
    assert_eq!(place.put(json!({ "status": "enabled" })).await.header("etag"), Some("\"4\""));
    let events = place.events().await;
    assert_eq!(
        place.types().await,
        ["account.provisioned", "account.state_changed", "account.state_changed"]
    );
    let told = &events[1]["data"];
    assert_eq!(
        (&told["from"], &told["to"], &told["reason"]),
        (&json!("active"), &json!("disabled"), &json!("disabled"))
    );
    assert!(told["by"].as_str().unwrap().starts_with("key_"), "{told}");
    assert_eq!(told["applied"], json!({ "type": "Disabled", "at": place.now() }));
}

#[actix_web::test]
async fn a_reset_closes_positions_and_starts_the_stage_afresh() {
    let place = Place::new().await;
    place.buy();
    place.mark("1.095");
    let reset = place.put(json!({ "action": "reset", "status": "disabled" })).await.json();
    assert_eq!(
        (&reset["balance"], &reset["openPositions"], &reset["status"]),
        (&json!(25000), &json!([]), &json!("disabled"))
    );
    let types = place.types().await;
    assert_eq!(types[1..], ["account.updated", "account.updated", "account.state_changed"]);
    let events = place.events().await;
    assert_eq!(events[1]["data"]["positionsClosed"][0]["realisedPnl"], -500);
    let record = &events[2]["data"];
    assert_eq!((&record["changed"], &record["applied"]["type"]), (&json!(["state"]), &json!("Reset")));
    assert_eq!((&record["before"]["equity"], &record["after"]["equity"]), (&json!(24500), &json!(25000)));
}

#[actix_web::test]
async fn only_the_version_that_was_seen_is_changed() {
    let place = Place::new().await;
    assert_eq!(place.put_if("\"1\"", json!({ "status": "disabled" })).await.status, StatusCode::OK);
    let stale = place.put_if("\"1\"", json!({ "status": "enabled" })).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    stale.problem("precondition_failed");
    let request = TestRequest::delete().uri(&place.path).insert_header(("If-Match", "\"1\""));
    place.world.send(authorised(request, &place.key)).await.problem("precondition_failed");
    let body = json!({ "configId": "demo-25k-eval-v1", "dryRun": true });
    for dry_run in [true, false] {
        let mut body = body.clone();
        body["dryRun"] = dry_run.into();
        let path = format!("{}/migrate", place.path);
        let request = TestRequest::post().uri(&path).insert_header(("If-Match", "\"1\"")).set_json(body);
        place.world.send(authorised(request, &place.key)).await.problem("precondition_failed");
    }
    assert_eq!(place.read().await["version"], 2);
}

#[actix_web::test]
async fn what_is_malformed_is_told_at_once_and_changes_nothing() {
    let place = Place::new().await;
    let reply = place.put(json!({ "status": "closed", "action": "breach", "meta": 7, "balance": 1 })).await;
    let pointers: Vec<_> =
        reply.findings("validation_failed").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/action", "/balance", "/meta", "/status"]);
    for null in ["status", "action"] {
        assert_eq!(
            place.put(json!({ null: null })).await.findings("validation_failed")[0].0,
            format!("/{null}")
        );
    }
    let reply = place.migrate(json!({ "dryRun": true })).await;
    assert_eq!(reply.findings("validation_failed"), super::pairs(&[("/configVersion", "required")]));
    let reply = place.migrate(json!({ "configId": "X", "configVersion": 0, "dryRun": "yes" })).await;
    let pointers: Vec<_> =
        reply.findings("validation_failed").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/configId", "/configVersion", "/dryRun"]);
    place.delete("?force=perhaps").await.problem("invalid_parameter");
    assert_eq!(place.read().await["version"], 1);
}

#[actix_web::test]
async fn an_account_is_closed_for_good() {
    let place = Place::new().await;
    place.buy();
    place.mark("1.11");
    let open = place.delete("").await;
    assert_eq!(
        (open.status, &open.problem("open_positions")["openPositions"]),
        (StatusCode::CONFLICT, &json!(1))
    );
    let closed = place.delete("?force=true").await;
    assert_eq!((closed.status, closed.header("etag")), (StatusCode::NO_CONTENT, Some("\"4\"")));
    assert!(closed.bytes.is_empty());
    let account = place.read().await;
    assert_eq!((&account["status"], &account["balance"]), (&json!("closed"), &json!(26000)));
    assert_eq!(place.delete("").await.header("etag"), Some("\"4\""), "it is closed, as was asked for");
    let types = place.types().await;
    assert_eq!(types[1..], ["account.updated", "account.state_changed", "account.closed"]);
    let last = place.events().await.pop().unwrap();
    assert!(last["data"]["by"].as_str().unwrap().starts_with("key_"), "{last}");
    for body in
        [json!({ "status": "enabled" }), json!({ "status": "disabled" }), json!({ "action": "reset" })]
    {
        let mut with_notes = body.clone();
        with_notes["meta"] = json!({ "x": 1 });
        let refused = place.put(with_notes).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.problem("account_final")["accountStatus"], "closed");
    }
    place.migrate(json!({ "configId": "demo-25k-eval-v1" })).await.problem("account_final");
    assert_eq!(place.read().await["meta"], json!({ "plan": "gold" }), "all or nothing");
    assert_eq!(place.put(json!({ "meta": null })).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_time_has_done_to_an_account_is_kept_though_the_request_is_refused() {
    let place = Place::new().await;
    place.buy();
    place.world.test.clock.advance(TimeDelta::days(30) - TimeDelta::hours(1));
    place.mark("1.1");
    place.world.test.clock.advance(TimeDelta::hours(1));
    let refused = place.put(json!({ "status": "disabled", "meta": { "late": true } })).await;
    assert_eq!(refused.problem("account_final")["accountStatus"], "expired");
    let account = place.read().await;
    assert_eq!((&account["status"], &account["meta"]), (&json!("expired"), &json!({ "plan": "gold" })));
    let types = place.types().await;
    assert_eq!(types.iter().filter(|name| *name == "rule.violation.duration").count(), 1, "{types:?}");
    place.delete("").await.problem("account_final");
    assert_eq!(place.types().await, types);
}

#[actix_web::test]
async fn an_account_of_long_ago_is_acted_upon_in_its_own_time() {
    let place = Place::new().await;
    place.buy();
    let traded = place.read().await["asOf"].clone();
    place.world.test.clock.advance(TimeDelta::days(31));
    let disabled = place.put(json!({ "status": "disabled" })).await.json();
    assert_eq!((&disabled["asOf"], &disabled["status"]), (&traded, &json!("disabled")));
}

#[actix_web::test]
async fn an_account_ahead_of_the_clock_is_not_put_back() {
    let place = Place::new().await;
    place.world.test.clock.advance(TimeDelta::days(9));
    place.buy();
    place.world.test.clock.set(place.stored().created_at);
    let ahead = place.read().await["asOf"].clone();
    let disabled = place.put(json!({ "status": "disabled" })).await.json();
    assert_eq!((&disabled["asOf"], &disabled["status"]), (&ahead, &json!("disabled")));
}

#[actix_web::test]
async fn unknown_accounts_are_not_found() {
    let place = Place::new().await;
    for unknown in ["acc_0195c0de00007000800000000000000a", "x"] {
        let strange = Place { path: format!("{BASE}/accounts/{unknown}"), ..Place::new().await };
        strange.put(json!({})).await.problem("account_not_found");
        strange.delete("").await.problem("account_not_found");
        strange.migrate(json!({ "configVersion": 1 })).await.problem("account_not_found");
    }
    assert_eq!(place.read().await["version"], 1);
}

/// What was done by hand is in the log as it was applied: applied again, it gives the account as it is.
#[actix_web::test]
async fn the_log_replays_to_the_account_as_it_is() {
    let place = Place::new().await;
    assert_eq!(place.upload(|document| document["baseCapital"] = json!(50_000)).await, StatusCode::CREATED);
    let steps = [
        json!({ "status": "disabled", "action": "reset" }),
        json!({ "status": "enabled" }),
        json!({ "action": "reset", "meta": { "n": 1 } }),
    ];
    let (config, first) = place.rules();
    for step in steps {
        assert_eq!(place.put(step).await.status, StatusCode::OK);
        place.world.test.clock.advance(TimeDelta::hours(13));
    }
    assert_eq!(place.migrate(json!({ "configVersion": 2 })).await.status, StatusCode::OK);
    assert_eq!(place.delete("").await.status, StatusCode::NO_CONTENT);
    let second = place.rules().1;
    let mut applied: Vec<Value> = Vec::new();
    for event in place.events().await {
        let cause = event["data"]["applied"].clone();
        if !cause.is_null() && applied.last() != Some(&cause) {
            applied.push(cause);
        }
    }
    let mut rules = first;
    let mut state = AccountState::provisioned(&config, place.stored().created_at);
    for event in &applied {
        let event: AccountEvent = serde_json::from_value(event.clone()).unwrap();
        if matches!(event, AccountEvent::ConfigMigrated { .. }) {
            rules = second.clone();
        }
        state = apply(&rules, state, &event).0;
    }
    assert_eq!(applied.len(), 6);
    assert_eq!(state, place.stored().state);
}
