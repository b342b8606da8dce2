//! A tenant's webhook endpoints, and what was delivered to them.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_domain::id::TenantId;
use tenantry_ports::{FailureClass, Scope, TenantScope};
use tenantry_usecases::webhooks;

use super::{Reply, World, authorised, pairs, post};

const BASE: &str = "/api/v1/tenants/acme/webhooks";
const URL: &str = "https://hooks.example.com/hunter2";

struct Place {
    world: World,
    tenant: TenantId,
    key: String,
}

impl Place {
    fn new() -> Self {
        let world = World::new();
        let (tenant, key) = world.tenant_and_key("acme");
        Self { world, tenant, key }
    }

    /// A new endpoint: its path and its secret.
    async fn created(&self, patterns: &[&str]) -> (String, String) {
        let body = json!({ "url": URL, "eventTypes": patterns });
        let made = self.world.post(BASE, &self.key, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.bytes);
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        (made.header("location").unwrap().to_owned(), secret)
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.world.get(path, &self.key).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
        reply.json()
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.world.post(path, &self.key, body).await
    }

    async fn bare(&self, path: &str) -> Reply {
        self.world.send(post(path, &self.key)).await
    }

    async fn send(&self, request: TestRequest) -> Reply {
        self.world.send(authorised(request, &self.key)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(TestRequest::patch().uri(path).set_json(body)).await
    }

    /// Has something happen in the tenant.
    async fn happen(&self) {
        let body = json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" });
        let made = self.post("/api/v1/tenants/acme/accounts", &body).await;
        assert_eq!(made.status, StatusCode::CREATED);
    }

    /// Delivers what there is to deliver now.
    async fn deliver(&self) {
        deliver(&self.world, self.tenant).await;
    }
}

/// Delivers what there is to deliver in this tenant now.
pub(super) async fn deliver(world: &World, tenant: TenantId) {
    let platform = world.platform();
    let found = platform.control.read(|tx| tx.tenants().get(tenant));
    let found = found.map_err(|error: tenantry_ports::StoreError| error).unwrap().unwrap();
    let scope = TenantScope::maintenance(&found).unwrap();
    for slice in webhooks::claim(platform, &scope).unwrap() {
        let mut next = Some(slice);
        while let Some(slice) = next {
            let outcomes = webhooks::send(platform, &slice, &|| true).await;
            next = webhooks::settle(platform, &scope, &slice, &outcomes, true).unwrap();
        }
    }
}

#[actix_web::test]
async fn an_endpoint_is_created_read_changed_and_deleted() {
    let place = Place::new();
    let body = json!({ "url": URL, "eventTypes": ["account.*", "payout.eligible"], "description": "CRM" });
    let made = place.post(BASE, &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!((made.header("cache-control"), made.header("etag")), (Some("no-store"), Some("\"1\"")));
    let created = made.json();
    let (id, secret) = (created["id"].as_str().unwrap(), created["secret"].as_str().unwrap());
    assert!(id.starts_with("hook_") && secret.starts_with("whsec_"), "{created}");
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(path, format!("{BASE}/{id}"));

    let read = place.world.get(&path, &place.key).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    let mut shown = created.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(read.json(), shown);
    assert_eq!((&shown["url"], &shown["enabled"]), (&json!(URL), &json!(true)));
    let listed = place.get(BASE).await;
    assert_eq!((&listed["items"], &listed["nextCursor"]), (&json!([shown]), &json!(null)));

    let changed =
        place.patch(&path, &json!({ "description": null, "eventTypes": ["*"], "enabled": false })).await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, Some("\"2\"")));
    let changed = changed.json();
    assert_eq!((&changed["description"], &changed["eventTypes"]), (&json!(null), &json!(["*"])));
    assert_eq!((&changed["enabled"], &changed["disabledReason"]), (&json!(false), &json!("requested")));
    assert_eq!(changed["url"], URL);

    let stale = |method: TestRequest| method.uri(&path).insert_header(("If-Match", "\"1\""));
    let refused = place.send(stale(TestRequest::patch()).set_json(json!({ "enabled": true }))).await;
    refused.problem("precondition_failed");
    place.send(stale(TestRequest::delete())).await.problem("precondition_failed");
    let delete = || place.send(TestRequest::delete().uri(&path).insert_header(("If-Match", "\"2\"")));
    assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
    delete().await.problem("webhook_not_found");
    place.world.get(&path, &place.key).await.problem("webhook_not_found");
}

#[actix_web::test]
async fn everything_that_is_wrong_with_an_endpoint_is_told() {
    let place = Place::new();
    for (body, findings) in [
        (json!({}), &[("/url", "required")][..]),
        (json!({ "url": "http://10.0.0.7/" }), &[("/url", "scheme_not_allowed")]),
        (
            json!({ "url": URL, "eventTypes": ["account.*", "*.closed"] }),
            &[("/eventTypes/1", "pattern_mismatch")],
        ),
        (json!({ "url": URL, "description": "x".repeat(256) }), &[("/description", "too_long")]),
        (json!({ "url": URL, "description": "a\0b" }), &[("/description", "invalid_description")]),
        (json!({ "url": URL, "eventTypes": vec!["a.b"; 51] }), &[("/eventTypes", "too_many_items")]),
        (json!({ "url": URL, "secret": "whsec_mine" }), &[("/secret", "unknown_member")]),
        (json!({ "url": null }), &[("/url", "wrong_type")]),
    ] {
        let refused = place.post(BASE, &body).await;
        assert_eq!(refused.findings("validation_failed"), pairs(findings), "{body}");
    }
    let (path, _) = place.created(&[]).await;
    for (body, findings) in [
        (json!({ "url": "http://10.0.0.7/" }), &[("/url", "scheme_not_allowed")][..]),
        (json!({ "enabled": null }), &[("/enabled", "wrong_type")]),
        (json!({ "eventTypes": ["Account"] }), &[("/eventTypes/0", "pattern_mismatch")]),
    ] {
        assert_eq!(place.patch(&path, &body).await.findings("validation_failed"), pairs(findings), "{body}");
    }
    assert_eq!(place.get(&path).await["url"], URL);
}

#[actix_web::test]
async fn one_more_than_the_quota_is_refused_and_the_log_tells_how_near_it_is() {
    let place = Place::new();
    let settings = json!({ "quotas": { "maxWebhooks": 2 } });
    let request = TestRequest::put().uri("/api/v1/tenants/acme/settings").set_json(&settings);
    assert_eq!(place.send(request).await.status, StatusCode::OK);
    let first = place.created(&[]).await.0;
    place.created(&[]).await;
    let refused = place.post(BASE, &json!({ "url": URL })).await;
    let told = refused.problem("quota_exceeded");
    assert_eq!(
        (&told["quota"], &told["limit"], &told["used"]),
        (&json!("maxWebhooks"), &json!(2), &json!(2))
    );
    place.deliver().await;
    let listed = place.get(&format!("{first}/deliveries")).await;
    let told: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| &item["eventType"]).collect();
    assert!(told.contains(&&json!("quota.reached")), "{told:?}");
    assert_eq!(place.send(TestRequest::delete().uri(&first)).await.status, StatusCode::NO_CONTENT);
    place.created(&[]).await;
}

#[actix_web::test]
async fn a_secret_is_replaced_with_an_overlap_which_can_be_ended() {
    let place = Place::new();
    let (path, old) = place.created(&[]).await;
    let rotate = format!("{path}/rotate-secret");
    let rotated = place.bare(&rotate).await;
    assert_eq!((rotated.status, rotated.header("cache-control")), (StatusCode::OK, Some("no-store")));
    let rotated = rotated.json();
    assert!(rotated["secret"].as_str().is_some_and(|secret| secret != old), "{rotated}");
    assert_eq!(rotated["previousSecretUntil"], "2026-03-02T12:00:00.123Z");
    let refused = place.bare(&rotate).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.problem("rotation_under_way")["previousSecretUntil"], rotated["previousSecretUntil"]);
    let forced = place.post(&rotate, &json!({ "force": true, "overlapSeconds": 60 })).await;
    assert_eq!(forced.status, StatusCode::OK);
    let ended = place.send(TestRequest::delete().uri(&format!("{path}/previous-secret"))).await;
    assert_eq!((ended.status, &ended.json()["previousSecretUntil"]), (StatusCode::OK, &json!(null)));
    let again = place.send(TestRequest::delete().uri(&format!("{path}/previous-secret"))).await;
    assert_eq!(again.header("etag"), ended.header("etag"), "nothing changes");
    assert_eq!(
        place.post(&rotate, &json!({ "overlapSeconds": 0 })).await.json()["previousSecretUntil"],
        json!(null)
    );
    let too_long = place.post(&rotate, &json!({ "overlapSeconds": 2_592_001 })).await;
    assert_eq!(too_long.findings("validation_failed"), pairs(&[("/overlapSeconds", "too_large")]));
    let stale = post(&rotate, &place.key).insert_header(("If-Match", "\"1\""));
    place.world.send(stale).await.problem("precondition_failed");
}

#[actix_web::test]
async fn an_endpoint_is_tried_out_with_an_event_of_its_own() {
    let place = Place::new();
    let (path, secret) = place.created(&["payout.eligible"]).await;
    assert_eq!(place.patch(&path, &json!({ "enabled": false })).await.status, StatusCode::OK);
    let tried = place.bare(&format!("{path}/test")).await;
    assert_eq!(tried.status, StatusCode::OK);
    let tried = tried.json();
    assert_eq!((&tried["delivered"], &tried["attempt"]["status"]), (&json!(true), &json!(204)));
    let call = place.world.test.endpoints.calls().pop().unwrap();
    assert_eq!(tried["request"]["headers"]["webhook-id"], call.id);
    assert_eq!(tried["request"]["headers"]["webhook-timestamp"], call.at.timestamp());
    assert_eq!(tried["request"]["body"].as_str().unwrap().as_bytes(), &*call.body);
    assert!(call.signature.contains(&secret), "{}", call.signature);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!((&body["type"], &body["tenantId"]), (&json!("webhook.test"), &json!(place.tenant)));

    place.world.test.endpoints.answer(500, None);
    let refused = place.bare(&format!("{path}/test")).await.json();
    assert_eq!((&refused["delivered"], &refused["attempt"]["status"]), (&json!(false), &json!(500)));
    assert_eq!(refused["attempt"]["response"], "as it was told");
    place.world.test.endpoints.fail(FailureClass::TimedOut);
    let silent = place.bare(&format!("{path}/test")).await.json();
    assert_eq!((&silent["delivered"], &silent["attempt"]["failure"]), (&json!(false), &json!("timed_out")));
    assert!(!silent.to_string().contains("10.0.0.7"), "{silent}");
    assert_eq!(place.get(&format!("{path}/deliveries")).await["items"], json!([]));
    assert_eq!(place.get(&path).await["failingSince"], json!(null));
}

#[actix_web::test]
async fn what_was_delivered_is_listed_and_shown_with_what_was_sent() {
    let place = Place::new();
    let (path, _) = place.created(&["account.*"]).await;
    place.world.test.endpoints.answer(503, None);
    place.happen().await;
    place.deliver().await;
    place.happen().await;
    place.deliver().await;
    let list = format!("{path}/deliveries");
    let listed = place.get(&list).await;
    let items = listed["items"].as_array().unwrap();
    let statuses: Vec<_> = items.iter().map(|item| item["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["delivered", "pending"]);
    assert_eq!((&items[1]["attempts"], &items[1]["eventType"]), (&json!(1), &json!("account.provisioned")));
    assert_eq!(items[1]["lastAttempt"]["response"], "as it was told");
    assert!(items[1]["nextAttemptAt"].is_string() && items[0]["nextAttemptAt"].is_null(), "{listed}");
    let pending = place.get(&format!("{list}?status=pending")).await;
    assert_eq!(pending["items"], json!([items[1]]));
    let first = place.get(&format!("{list}?limit=1")).await;
    let cursor = first["nextCursor"].as_str().unwrap();
    assert_eq!(place.get(&format!("{list}?limit=1&cursor={cursor}")).await["items"], json!([items[1]]));
    let other = place.world.get(&format!("{list}?status=pending&cursor={cursor}"), &place.key).await;
    other.problem("invalid_cursor");
    let wrong = place.world.get(&format!("{list}?status=lost"), &place.key).await;
    assert_eq!(wrong.findings("invalid_parameter"), pairs(&[("/status", "invalid_value")]));

    let shown = place.get(&format!("{list}/{}", items[0]["id"].as_str().unwrap())).await;
    let call = place.world.test.endpoints.calls().pop().unwrap();
    assert_eq!(
        (&shown["request"]["url"], &shown["request"]["headers"]["webhook-id"]),
        (&json!(URL), &json!(call.id))
    );
    assert_eq!(shown["request"]["body"].as_str().unwrap().as_bytes(), &*call.body);
    let nothing = place.world.get(&format!("{list}/dlv_0195c0de00007000800000000000000a"), &place.key).await;
    nothing.problem("delivery_not_found");
    // Of another endpoint it is none.
    let (other, _) = place.created(&[]).await;
    let id = items[0]["id"].as_str().unwrap();
    place.world.get(&format!("{other}/deliveries/{id}"), &place.key).await.problem("delivery_not_found");
    place.bare(&format!("{other}/deliveries/{id}/redeliver")).await.problem("delivery_not_found");
}

#[actix_web::test]
async fn a_delivery_is_made_anew_with_the_same_id() {
    let place = Place::new();
    let (path, _) = place.created(&["account.*"]).await;
    place.happen().await;
    place.deliver().await;
    let id = place.get(&format!("{path}/deliveries")).await["items"][0]["id"].as_str().unwrap().to_owned();
    let again = format!("{path}/deliveries/{id}/redeliver");
    let asked = place.bare(&again).await;
    assert_eq!((asked.status, &asked.json()["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    place.deliver().await;
    let calls = place.world.test.endpoints.calls();
    assert_eq!((calls.len(), &calls[0].id, &calls[0].body), (2, &calls[1].id, &calls[1].body));
    assert_eq!(place.patch(&path, &json!({ "enabled": false })).await.status, StatusCode::OK);
    place.bare(&again).await.problem("webhook_disabled");
}

#[actix_web::test]
async fn what_was_missed_since_then_is_sent_and_what_arrived_is_not() {
    let place = Place::new();
    let (path, _) = place.created(&["account.*"]).await;
    place.happen().await;
    place.deliver().await;
    assert_eq!(place.patch(&path, &json!({ "enabled": false })).await.status, StatusCode::OK);
    place.world.test.clock.advance(TimeDelta::minutes(1));
    place.happen().await;
    place.world.test.clock.advance(TimeDelta::minutes(1));
    place.happen().await;
    let recover = format!("{path}/recover");
    let at = |minute: u32| json!({ "since": format!("2026-03-01T12:0{minute}:00Z") });
    place.post(&recover, &at(0)).await.problem("webhook_disabled");
    assert_eq!(place.patch(&path, &json!({ "enabled": true })).await.status, StatusCode::OK);
    place.deliver().await;
    let sent = || place.world.test.endpoints.calls().len();
    assert_eq!(sent(), 1, "what happened meanwhile is passed over");
    let recovered = place.post(&recover, &at(2)).await;
    assert_eq!(recovered.status, StatusCode::ACCEPTED);
    let told = recovered.json();
    assert!(told["firstSequence"].as_i64() <= told["lastSequence"].as_i64(), "{told}");
    place.deliver().await;
    assert_eq!(sent(), 2);
    assert_eq!(place.post(&recover, &at(0)).await.status, StatusCode::ACCEPTED);
    place.deliver().await;
    assert_eq!(sent(), 3, "neither the first nor the last arrives twice");
    assert_eq!(place.post(&recover, &json!({ "since": "yesterday" })).await.status, StatusCode::BAD_REQUEST);
}

/// What an operator reads in the database about requests that may come again is nothing to verify or to sign with.
#[actix_web::test]
async fn answers_with_a_secret_are_kept_sealed() {
    let place = Place::new();
    let keyed =
        |path: &str, key: &str| post(path, &place.key).insert_header(("Idempotency-Key", key.to_owned()));
    let create = || place.world.send(keyed(BASE, "a").set_json(json!({ "url": URL })));
    let made = create().await;
    let rotate = format!("{}/rotate-secret", made.header("location").unwrap());
    let rotated = place.world.send(keyed(&rotate, "b")).await;
    let (again, rotated_again) = (create().await, place.world.send(keyed(&rotate, "b")).await);
    for (first, again) in [(&made, &again), (&rotated, &rotated_again)] {
        assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    assert_ne!(made.json()["secret"], rotated.json()["secret"]);
    let narrow = place.world.key(Some(place.tenant), &[Scope::WebhooksRead]);
    place.world.post(BASE, &narrow, &json!({ "url": URL })).await.problem("missing_scope");
}
