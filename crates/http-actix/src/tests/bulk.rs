//! Many accounts in one request.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{Reply, World, config, post};
use crate::HttpSettings;

const PATH: &str = "/api/v1/tenants/acme/accounts/bulk";

async fn world() -> (World, String) {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let reply = world.post("/api/v1/tenants/acme/configs", &key, &config("25k-own-v1")).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    (world, key)
}

fn item(user: &str) -> Value {
    json!({ "userId": user, "configId": "25k-own-v1" })
}

fn keyed(user: &str, key: &str) -> Value {
    json!({ "userId": user, "configId": "25k-own-v1", "idempotencyKey": key })
}

/// The results of an answer, which is 200 and counts them.
#[track_caller]
fn results(reply: &Reply) -> Vec<Value> {
    let body = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{body}");
    let items = body["items"].as_array().unwrap().clone();
    let count = |wanted: &dyn Fn(&Value) -> bool| items.iter().filter(|item| wanted(item)).count();
    let refused = count(&|item| item["problem"].is_object());
    let replayed = count(&|item| item["replayed"] == true);
    assert_eq!((&body["refused"], &body["replayed"]), (&json!(refused), &json!(replayed)), "{body}");
    let new = count(&|item| item["account"].is_object() && item["replayed"] == false);
    assert_eq!(body["provisioned"], new, "{body}");
    items
}

async fn accounts(world: &World, key: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/tenants/acme/accounts?limit=200{cursor}");
        let page = world.get(&path, key).await.json();
        all.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[actix_web::test]
async fn a_thousand_items_get_an_account_each_in_their_order() {
    let (world, key) = world().await;
    let mut wanted = item("user-0");
    wanted["meta"] = json!({ "order": 1, "exact": 0.1 });
    wanted["tenantId"] = json!("acme");
    let items: Vec<_> =
        std::iter::once(wanted).chain((1..1000).map(|n| item(&format!("user-{n}")))).collect();
    let reply = world.post(PATH, &key, &json!({ "items": items })).await;
    let results = results(&reply);
    assert_eq!(results.len(), 1000);
    for (n, result) in results.iter().enumerate() {
        assert_eq!((&result["status"], &result["replayed"]), (&json!(201), &json!(false)), "{result}");
        assert_eq!(result["account"]["userId"], format!("user-{n}"));
    }
    let mut stored = accounts(&world, &key).await;
    stored.reverse();
    let ids = |values: &[Value]| values.iter().map(|value| value["accountId"].clone()).collect::<Vec<_>>();
    let told: Vec<_> = results.iter().map(|result| result["account"].clone()).collect();
    assert_eq!(ids(&stored), ids(&told));
    assert_eq!(stored[0]["meta"], json!({ "order": 1, "exact": 0.1 }));
    // What one is told of an account is what one alone is told.
    let alone = world.post("/api/v1/tenants/acme/accounts", &key, &item("u")).await.json();
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&alone), members(&told[0]));
}

#[actix_web::test]
async fn what_is_wrong_with_an_item_is_its_own_affair() {
    let (world, key) = world().await;
    let items = json!([
        item("good-1"),
        7,
        ["user", "25k-own-v1"],
        { "userId": " ", "configId": "A", "balance": 5 },
        { "userId": "u", "configId": "no-such" },
        { "userId": "u", "configId": "25k-own-v1", "tenantId": "other" },
        { "userId": "u", "configId": "25k-own-v1", "idempotencyKey": "" },
        { "userId": "u", "idempotencyKey": 7 },
        item("good-2"),
    ]);
    let reply = world.post(PATH, &key, &json!({ "items": items })).await;
    let results = results(&reply);
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            (result["status"].as_u64().unwrap(), result["problem"]["code"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            (201, ""),
            (400, "validation_failed"),
            (400, "validation_failed"),
            (400, "validation_failed"),
            (422, "unknown_config"),
            (403, "wrong_tenant"),
            (400, "validation_failed"),
            (400, "validation_failed"),
            (201, ""),
        ]
    );
    let pointers = |index: usize| -> Vec<String> {
        let errors = results[index]["problem"]["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(pointers(1), ["/items/1"]);
    assert_eq!(pointers(2), ["/items/2"]);
    assert_eq!(pointers(3), ["/items/3/balance", "/items/3/configId", "/items/3/userId"]);
    assert_eq!(pointers(6), ["/items/6/idempotencyKey"]);
    assert_eq!(pointers(7), ["/items/7/idempotencyKey", "/items/7/configId"]);
    let problem = &results[4]["problem"];
    assert_eq!((&problem["status"], &problem["instance"]), (&json!(422), &json!(PATH)));
    assert_eq!(problem["requestId"].as_str(), reply.header("x-request-id"));
    assert_eq!(accounts(&world, &key).await.len(), 2);
}

#[actix_web::test]
async fn an_items_key_makes_one_account_wherever_it_comes_again() {
    let (world, key) = world().await;
    let first =
        world.post(PATH, &key, &json!({ "items": [keyed("a", "k-1"), item("b"), keyed("a", "k-1")] })).await;
    assert!(first.header("idempotent-replayed").is_none());
    let first = results(&first);
    assert_eq!((&first[0]["replayed"], &first[2]["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first[2]["account"], first[0]["account"]);
    // Members in another order are the same item.
    let again = json!({ "configId": "25k-own-v1", "idempotencyKey": "k-1", "userId": "a" });
    let reply = world.post(PATH, &key, &json!({ "items": [keyed("c", "k-2"), again] })).await;
    assert_eq!(results(&reply)[1]["account"], first[0]["account"]);
    let reply = world.post(PATH, &key, &json!({ "items": [keyed("other", "k-1"), keyed("c", "k-2")] })).await;
    let told = results(&reply);
    assert_eq!(told[0]["problem"]["code"], "idempotency_key_reused");
    assert_eq!(told[1]["replayed"], true);
    assert_eq!(accounts(&world, &key).await.len(), 3);
}

#[actix_web::test]
async fn a_repeated_request_does_what_was_not_done_and_answers_the_rest_as_before() {
    let (world, key) = world().await;
    let late = json!({ "userId": "b", "configId": "25k-late-v1" });
    let mut items = [item("a"), late, keyed("c", "own"), item(" ")];
    let send = async |name: &str, items: &[Value]| {
        let request = post(PATH, &key).insert_header((name, "order-7"));
        world.send(request.set_json(json!({ "items": items }))).await
    };
    let first = results(&send("Idempotency-Key", &items).await);
    assert_eq!((&first[1]["status"], &first[3]["status"]), (&json!(422), &json!(400)));
    world.post("/api/v1/tenants/acme/configs", &key, &config("25k-late-v1")).await;
    items[3] = item("d");
    let second = send("requestId", &items).await;
    assert!(second.header("idempotent-replayed").is_none());
    let second = results(&second);
    let outcomes: Vec<_> = second.iter().map(|result| (&result["status"], &result["replayed"])).collect();
    let (made, refused, again, new) = (json!(201), json!(422), json!(true), json!(false));
    assert_eq!(outcomes, [(&made, &again), (&refused, &again), (&made, &again), (&made, &new)]);
    assert_eq!(
        [&second[0]["account"], &second[1]["problem"], &second[2]["account"]],
        [&first[0]["account"], &first[1]["problem"], &first[2]["account"]]
    );
    let third = send("Idempotency-Key", &items).await;
    assert_eq!(third.header("idempotent-replayed"), Some("true"));
    assert_eq!(results(&third)[3]["account"], second[3]["account"]);
    assert_eq!(accounts(&world, &key).await.len(), 3);
    // The key is a request's place in it: another item at that place is another request.
    let other = results(&send("Idempotency-Key", &[item("z")]).await);
    assert_eq!(other[0]["problem"]["code"], "idempotency_key_reused");
}

#[actix_web::test]
async fn there_are_one_to_a_thousand_items() {
    let (world, key) = world().await;
    let many: Vec<_> = (0..1001).map(|n| item(&format!("u{n}"))).collect();
    for (items, code) in [(json!([]), "too_few_items"), (many.into(), "too_many_items")] {
        let reply = world.post(PATH, &key, &json!({ "items": items })).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.findings("validation_failed"), super::pairs(&[("/items", code)]));
    }
    for (body, pointer) in
        [(json!({}), "/items"), (json!({ "items": {} }), "/items"), (json!([item("u")]), "")]
    {
        let reply = world.post(PATH, &key, &body).await;
        assert_eq!(reply.findings("validation_failed")[0].0, pointer, "{body}");
    }
    let bad =
        post(PATH, &key).insert_header(("Idempotency-Key", "")).set_json(json!({ "items": [item("u")] }));
    world.send(bad).await.problem("invalid_idempotency_key");
    assert!(accounts(&world, &key).await.is_empty());
}

#[actix_web::test]
async fn a_request_of_many_may_be_larger_and_not_boundless() {
    let world = World::with(HttpSettings { body_limit: 1000, ..HttpSettings::default() });
    let (_, key) = world.tenant_and_key("acme");
    let body = |count: usize| {
        let items: Vec<_> =
            (0..count).map(|_| json!({ "userId": "u", "configId": "demo-25k-eval-v1" })).collect();
        json!({ "items": items })
    };
    let (large, too_large) = (body(100), body(200));
    assert!(large.to_string().len() > 4000 && too_large.to_string().len() > 8000);
    assert_eq!(results(&world.post(PATH, &key, &large).await).len(), 100);
    world.post(PATH, &key, &too_large).await.problem("payload_too_large");
}

#[actix_web::test]
async fn the_last_free_places_go_to_the_first_items() {
    let (world, key) = world().await;
    let quotas = json!({ "allowedConfigs": "*", "quotas": { "maxAccounts": 3 } });
    let request = actix_web::test::TestRequest::put().uri("/api/v1/tenants/acme/settings").set_json(quotas);
    assert_eq!(world.send(super::authorised(request, &key)).await.status, StatusCode::OK);
    let items: Vec<_> = (0..5).map(|n| item(&format!("u{n}"))).collect();
    let told = results(&world.post(PATH, &key, &json!({ "items": items })).await);
    let statuses: Vec<_> = told.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 422, 422]);
    assert_eq!(told[4]["problem"]["code"], "quota_exceeded");
    assert_eq!(told[4]["problem"]["limit"], 3);
}
