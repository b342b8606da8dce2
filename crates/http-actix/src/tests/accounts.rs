//! Trading accounts.

use actix_web::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::account::{Account, AccountStatus};
use tenantry_domain::id::TenantId;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_usecases::tenants::{self, TenantRef};

use super::{World, config, get, pairs, post};

const PATH: &str = "/api/v1/tenants/acme/accounts";

/// A world with a tenant, its key and a config.
async fn world() -> (World, String) {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let reply = world.post("/api/v1/tenants/acme/configs", &key, &config("25k-own-v1")).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    (world, key)
}

fn wish(user: &str) -> Value {
    json!({ "userId": user, "configId": "25k-own-v1" })
}

#[actix_web::test]
async fn an_account_is_provisioned_and_reads_back_with_its_full_state() {
    let (world, key) = world().await;
    let tenant = world.test.platform.control.read(|tx| tx.tenants().holding(&"acme".parse().unwrap()));
    let tenant = tenant.map_err(|error: tenantry_ports::StoreError| error).unwrap().unwrap().id;
    for path in ["/api/v1/tenants/acme/accounts".to_owned(), format!("/tenants/{tenant}/accounts")] {
        let mut body = wish("user-42");
        body["meta"] = json!({ "campaign": "spring" });
        body["tenantId"] = "acme".into();
        let made = world.post(&path, &key, &body).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let receipt = made.json();
        let id = receipt["accountId"].as_str().unwrap();
        assert_eq!(made.header("location").unwrap(), format!("{path}/{id}"));
        assert_eq!(
            receipt,
            json!({
                "accountId": id,
                "tenantId": tenant.to_string(),
                "userId": "user-42",
                "configId": "25k-own-v1",
                "configVersion": 1,
                "status": "provisioned",
                "balance": 25000,
                "currency": "USD",
                "createdAt": "2026-03-01T12:00:00.123Z"
            })
        );
        let read = world.get(&format!("{path}/{id}"), &key).await;
        assert_eq!(read.status, StatusCode::OK);
        let account = read.json();
        for (name, value) in receipt.as_object().unwrap() {
            assert_eq!(&account[name], value, "{name}");
        }
        for (pointer, value) in [
            ("/equity", json!(25000)),
            ("/realisedPnl", json!({ "total": 0, "today": 0 })),
            ("/unrealisedPnl/total", json!(0)),
            ("/openPositions", json!([])),
            ("/challenge/id", json!("phase-1")),
            ("/meta/campaign", json!("spring")),
            ("/ruleStatuses/1/rule", json!("max_drawdown")),
            ("/ruleStatuses/1/limit", json!(2000)),
        ] {
            assert_eq!(account.pointer(pointer), Some(&value), "{pointer} of {account}");
        }
        let tag = read.header("etag").unwrap();
        let unchanged =
            world.send(get(&format!("{path}/{id}"), &key).insert_header(("If-None-Match", tag))).await;
        assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    }
}

/// The tenant's account of this id, as it is stored, and the scope it is stored in.
fn stored(world: &World, tenant: TenantId, id: &str) -> (TenantScope, Account) {
    let tenant = tenants::find(world.platform(), &TenantRef::Id(tenant)).unwrap().unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let store = world.platform().stores.open(&scope).unwrap();
    let found = store.read::<_, StoreError>(|tx| tx.accounts().get(&[id.parse().unwrap()]));
    (scope, found.unwrap().remove(0))
}

#[actix_web::test]
async fn an_account_that_was_changed_elsewhere_is_never_answered_from_memory() {
    let world = World::new();
    let (tenant, key) = world.tenant_and_key("acme");
    world.post("/api/v1/tenants/acme/configs", &key, &config("25k-own-v1")).await;
    let made = world.post(PATH, &key, &wish("user-42")).await;
    let path = made.header("location").unwrap();
    let id = made.json()["accountId"].as_str().unwrap().to_owned();
    let unless = async |tag: &str| world.send(get(path, &key).insert_header(("If-None-Match", tag))).await;

    let first = world.get(path, &key).await;
    let again = world.get(path, &key).await;
    assert_eq!((&again.bytes, again.header("etag")), (&first.bytes, Some("\"1\"")));
    let (scope, account) = stored(&world, tenant, &id);
    let mut changed = Account { version: 2, ..account };
    changed.state.status = AccountStatus::Disabled;
    world.test.world.put_account(&scope, changed).unwrap();

    for _ in 0..2 {
        let now = world.get(path, &key).await;
        assert_eq!((now.header("etag"), &now.json()["status"]), (Some("\"2\""), &json!("disabled")));
        assert_eq!(now.json()["version"], 2);
        assert_eq!(unless("\"1\"").await.bytes, now.bytes);
        assert_eq!(unless("\"2\"").await.status, StatusCode::NOT_MODIFIED);
    }
}

#[actix_web::test]
async fn what_is_remembered_of_an_account_is_its_tenants_alone() {
    let world = World::new();
    let ((acme, key), (other, others)) = (world.tenant_and_key("acme"), world.tenant_and_key("other"));
    for (slug, key) in [("acme", &key), ("other", &others)] {
        let path = format!("/api/v1/tenants/{slug}/configs");
        assert_eq!(world.post(&path, key, &config("25k-own-v1")).await.status, StatusCode::CREATED);
    }
    let id = world.post(PATH, &key, &wish("ours")).await.json()["accountId"].as_str().unwrap().to_owned();
    let theirs_id = world.post("/api/v1/tenants/other/accounts", &others, &wish("theirs")).await.json();
    let (scope, theirs) = stored(&world, other, theirs_id["accountId"].as_str().unwrap());
    // A tenant that was made of another one's archive has accounts of the same ids, in the same revisions.
    let (_, ours) = stored(&world, acme, &id);
    let same = Account { id: ours.id, version: ours.version, updated_at: ours.updated_at, ..theirs };
    world.test.world.put_account(&scope, same).unwrap();
    for _ in 0..2 {
        for (slug, key, user) in [("acme", &key, "ours"), ("other", &others, "theirs")] {
            let read = world.get(&format!("/api/v1/tenants/{slug}/accounts/{id}"), key).await;
            assert_eq!(read.json()["userId"], user);
        }
    }
}

#[actix_web::test]
async fn amounts_are_exact_numbers_and_never_floats() {
    let (world, key) = world().await;
    let mut document = config("exact-v1");
    document["baseCapital"] = serde_json::from_str("12345678.25").unwrap();
    world.post("/api/v1/tenants/acme/configs", &key, &document).await;
    let made = world.post(PATH, &key, &json!({ "userId": "u", "configId": "exact-v1" })).await;
    let text = String::from_utf8_lossy(&made.bytes).into_owned();
    assert!(text.contains("\"balance\":12345678.25,"), "{text}");
    let read = world.get(made.header("location").unwrap(), &key).await;
    let text = String::from_utf8_lossy(&read.bytes).into_owned();
    assert!(text.contains("\"equity\":12345678.25,"), "{text}");
}

#[actix_web::test]
async fn a_repeated_request_gets_the_first_answer_byte_for_byte() {
    let (world, key) = world().await;
    let body = wish("user-1").to_string();
    let send = async |header: (&str, &str), body: &str| {
        let request =
            post(PATH, &key).insert_header(header).insert_header(("Content-Type", "application/json"));
        world.send(request.set_payload(body.to_owned())).await
    };
    let first = send(("Idempotency-Key", "\"8e03978e\""), &body).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, None));
    for header in [("Idempotency-Key", "8e03978e"), ("requestId", "8e03978e")] {
        let again = send(header, &body).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(again.header("location"), first.header("location"));
    }
    let reused = send(("Idempotency-Key", "8e03978e"), &wish("user-2").to_string()).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY);
    reused.problem("idempotency_key_reused");
    send(("Idempotency-Key", ""), &body).await.problem("invalid_idempotency_key");
    assert_eq!(world.get(PATH, &key).await.json()["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn both_spellings_of_a_route_are_one_operation_to_an_idempotency_key() {
    let (world, key) = world().await;
    let send = async |path: &str| {
        world.send(post(path, &key).insert_header(("Idempotency-Key", "k")).set_json(wish("u"))).await
    };
    let first = send(PATH).await;
    let again = send("/tenants/acme/accounts").await;
    assert_eq!(again.bytes, first.bytes);
}

#[actix_web::test]
async fn many_at_once_get_an_account_each() {
    let (world, key) = world().await;
    let replies = join_all((0..100).map(|n| {
        let body = wish(&format!("user-{n}"));
        let (world, key) = (&world, &key);
        async move { world.post(PATH, key, &body).await }
    }))
    .await;
    let mut ids: Vec<String> = Vec::new();
    for (n, reply) in replies.iter().enumerate() {
        assert_eq!(reply.status, StatusCode::CREATED);
        assert_eq!(reply.json()["userId"], format!("user-{n}"), "everybody gets their own answer");
        ids.push(reply.json()["accountId"].as_str().unwrap().to_owned());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    let reads = join_all(ids.iter().map(|id| {
        let path = format!("{PATH}/{id}");
        let (world, key) = (&world, &key);
        async move { world.get(&path, key).await.json()["accountId"].as_str().map(str::to_owned) }
    }))
    .await;
    assert!(reads.iter().zip(&ids).all(|(read, id)| read.as_ref() == Some(id)));
}

#[actix_web::test]
async fn what_the_domain_refuses_is_told() {
    let (world, key) = world().await;
    let unknown = world.post(PATH, &key, &json!({ "userId": "u", "configId": "no-such" })).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    unknown.problem("unknown_config");
    let mut foreign = wish("u");
    foreign["tenantId"] = "other".into();
    world.post(PATH, &key, &foreign).await.problem("wrong_tenant");
    let reply = world.post(PATH, &key, &json!({ "userId": " ", "configId": "A", "balance": 5 })).await;
    assert_eq!(
        reply.findings("validation_failed"),
        pairs(&[("/balance", "unknown_member"), ("/configId", "too_short"), ("/userId", "invalid_user_id")])
    );
}

#[actix_web::test]
async fn foreign_and_unknown_accounts_are_not_found_alike() {
    let (world, key) = world().await;
    let (_, other) = world.tenant_and_key("other");
    let id = world.post(PATH, &key, &wish("u")).await.json()["accountId"].as_str().unwrap().to_owned();
    for id in [id.as_str(), "acc_0195c0de00007000800000000000000a", "acc_", "x"] {
        let reply = world.get(&format!("/api/v1/tenants/other/accounts/{id}"), &other).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        reply.problem("account_not_found");
    }
}

#[actix_web::test]
async fn accounts_are_filtered_and_paged() {
    let (world, key) = world().await;
    for n in 0..5 {
        world.post(PATH, &key, &wish(&format!("user-{}", n % 2))).await;
    }
    let list = async |query: &str| world.get(&format!("{PATH}{query}"), &key).await;
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|item| item["accountId"].clone()).collect()
    };
    let whole = list("").await.json();
    assert_eq!(ids(&whole).len(), 5);
    assert_eq!(ids(&list("?userId=user-1").await.json()).len(), 2);
    assert_eq!(ids(&list("?status=active").await.json()).len(), 0);
    assert_eq!(ids(&list("?status=provisioned&configId=25k-own-v1").await.json()).len(), 5);
    let first = list("?limit=3").await.json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = list(&format!("?limit=3&cursor={cursor}")).await.json();
    assert_eq!(second["nextCursor"], json!(null));
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&whole));
    list(&format!("?userId=user-1&cursor={cursor}")).await.problem("invalid_cursor");
    let wrong = list("?limit=201&status=sleeping&configId=X&colour=red").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let pointers: Vec<_> =
        wrong.findings("invalid_parameter").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/status", "/configId", "/limit", "/colour"]);
}
