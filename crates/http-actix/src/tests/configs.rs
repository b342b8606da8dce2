//! Account configs.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{World, config, get};

const PATH: &str = "/api/v1/tenants/acme/configs";

#[actix_web::test]
async fn a_valid_config_is_ok_and_nothing_is_stored() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    for path in ["/api/v1/tenants/acme/configs/validate", "/tenants/acme/configs/validate"] {
        let reply = world.post(path, &key, &config("25k-own-v1")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.json(), json!({ "status": "OK", "errors": [], "warnings": [] }));
    }
    world.get(&format!("{PATH}/25k-own-v1"), &key).await.problem("config_not_found");
}

#[actix_web::test]
async fn validation_tells_everything_an_upload_would_refuse() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let mut document = config("25k-own-v1");
    document["baseCapital"] = 5.into();
    document["colour"] = "red".into();
    document["challengeDefinitions"][0]["rules"]["dailyLossLimit"] = json!(0.5);
    let verdict = world.post(&format!("{PATH}/validate"), &key, &document).await.json();
    assert_eq!(verdict["status"], "INVALID");
    let codes: Vec<_> =
        verdict["errors"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("daily_loss_exceeds_max_drawdown")) && codes.len() == 3, "{verdict}");
    let upload = world.post(PATH, &key, &document).await;
    assert_eq!(upload.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(upload.problem("invalid_config")["errors"], verdict["errors"]);
}

#[actix_web::test]
async fn any_json_may_be_validated_and_none_crashes() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    for document in [json!(null), json!(5), json!([]), json!("x"), json!({})] {
        let verdict = world.post(&format!("{PATH}/validate"), &key, &document).await;
        assert_eq!(verdict.json()["status"], "INVALID", "{document}");
        world.post(PATH, &key, &document).await.problem("invalid_config");
    }
}

#[actix_web::test]
async fn an_uploaded_config_reads_back_and_an_identical_one_is_found() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let uploaded = world.post(PATH, &key, &config("25k-own-v1")).await;
    assert_eq!(uploaded.status, StatusCode::CREATED);
    let body = uploaded.json();
    assert_eq!(
        (&body["configId"], &body["version"], &body["status"]),
        (&json!("25k-own-v1"), &json!(1), &json!("active"))
    );
    assert_eq!(body["warnings"], json!([]));
    let read = world.get(uploaded.header("location").unwrap(), &key).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.json()["document"], config("25k-own-v1"));
    assert_eq!(read.json()["hash"], body["hash"]);
    let tag = read.header("etag").unwrap();
    let unchanged =
        world.send(get(&format!("{PATH}/25k-own-v1"), &key).insert_header(("If-None-Match", tag))).await;
    assert_eq!((unchanged.status, unchanged.bytes.len()), (StatusCode::NOT_MODIFIED, 0));

    let again = world.post(PATH, &key, &config("25k-own-v1")).await;
    assert_eq!((again.status, &again.json()["version"]), (StatusCode::OK, &json!(1)));

    let mut other = config("25k-own-v1");
    other["baseCapital"] = 50_000.into();
    let taken = world.post(PATH, &key, &other).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert_eq!(taken.problem("config_id_taken")["suggestedId"], "25k-own-v2");
}

#[actix_web::test]
async fn a_version_that_is_not_there_is_not_found_and_one_that_is_no_number_is_refused() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    world.post(PATH, &key, &config("25k-own-v1")).await;
    let read = async |query: &str| world.get(&format!("{PATH}/25k-own-v1{query}"), &key).await;
    assert_eq!(read("?version=1").await.json()["version"], 1);
    read("?version=2").await.problem("config_not_found");
    for wrong in ["?version=0", "?version=x", "?version=1&version=1", "?ver=1"] {
        read(wrong).await.problem("invalid_parameter");
    }
    world.get(&format!("{PATH}/NO"), &key).await.problem("config_not_found");
}

#[actix_web::test]
async fn configs_are_paged_and_cursors_belong_to_their_tenant() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let (_, other) = world.tenant_and_key("other");
    for n in 0..5 {
        world.post(PATH, &key, &config(&format!("own-{n}"))).await;
    }
    let whole = world.get(PATH, &key).await.json();
    let mut paged: Vec<Value> = Vec::new();
    let mut query = "?limit=2".to_owned();
    let mut cursors = Vec::new();
    loop {
        let page = world.get(&format!("{PATH}{query}"), &key).await.json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        cursors.push(cursor.to_owned());
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(json!(paged), whole["items"]);
    assert!(paged.len() >= 5);
    let stolen = format!("/api/v1/tenants/other/configs?cursor={}", cursors[0]);
    let reply = world.get(&stolen, &other).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    reply.problem("invalid_cursor");
}

#[actix_web::test]
async fn the_schema_is_served() {
    let world = World::new();
    let reply = world.get("/api/v1/schemas/account-config", "").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json(), tenantry_domain::config::schema());
}
