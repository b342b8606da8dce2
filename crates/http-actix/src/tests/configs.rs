//! Account configs.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{World, authorised, config, get};

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

/// A tenant whose config `25k-own` has so many versions, with 10,000 more of capital each; and its key.
async fn versions(world: &World, count: u32) -> String {
    let (_, key) = world.tenant_and_key("acme");
    let settings = TestRequest::put().uri("/api/v1/tenants/acme/settings");
    let settings = settings.set_json(json!({ "versioningStrategy": "internal" }));
    assert_eq!(world.send(authorised(settings, &key)).await.status, StatusCode::OK);
    for version in 1..=count {
        let mut document = config("25k-own");
        document["baseCapital"] = (version * 10_000).into();
        let uploaded = world.post(PATH, &key, &document).await;
        assert_eq!((uploaded.status, &uploaded.json()["version"]), (StatusCode::CREATED, &json!(version)));
    }
    key
}

#[actix_web::test]
async fn versions_are_listed_newest_first_and_read_by_number() {
    let world = World::new();
    let key = versions(&world, 5).await;
    let own = format!("{PATH}/25k-own/versions");
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = world.get(&format!("{own}{query}"), &key).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
        let elsewhere = format!("{PATH}/demo-25k-eval-v1/versions{query}");
        world.get(&elsewhere, &key).await.problem("invalid_cursor");
    }
    assert_eq!(seen.iter().map(|item| &item["version"]).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    for item in &seen {
        let read = world.get(&format!("{own}/{}", item["version"]), &key).await;
        let by_query = world.get(&format!("{PATH}/25k-own?version={}", item["version"]), &key).await;
        assert_eq!((read.status, &read.bytes), (StatusCode::OK, &by_query.bytes));
        for member in ["version", "hash", "createdBy", "createdAt"] {
            assert_eq!(read.json()[member], item[member], "{member}");
        }
        assert_eq!(read.json()["document"]["baseCapital"], json!(item["version"].as_u64().unwrap() * 10_000));
        let unless = get(&format!("{own}/{}", item["version"]), &key);
        let unless = unless.insert_header(("If-None-Match", read.header("etag").unwrap()));
        assert_eq!(world.send(unless).await.status, StatusCode::NOT_MODIFIED);
    }
    for unknown in ["6", "0", "-1", "x", "99999999999"] {
        world.get(&format!("{own}/{unknown}"), &key).await.problem("config_not_found");
    }
    for path in ["no-such/versions", "no-such/versions/1", "X/versions", "no-such/diff", "X/diff"] {
        world.get(&format!("{PATH}/{path}"), &key).await.problem("config_not_found");
    }
    world.get(&format!("{own}?cursor=00"), &key).await.problem("invalid_cursor");
}

#[actix_web::test]
async fn any_two_versions_are_compared() {
    let world = World::new();
    let key = versions(&world, 3).await;
    let diff = async |query: &str| world.get(&format!("{PATH}/25k-own/diff{query}"), &key).await;
    let capital = |from: u32, to: u32| json!([{ "op": "replace", "pointer": "/baseCapital", "from": from * 10_000, "to": to * 10_000 }]);
    for (query, from, to) in
        [("", 2, 3), ("?from=1", 1, 3), ("?to=2", 1, 2), ("?from=3&to=1", 3, 1), ("?from=1&to=2", 1, 2)]
    {
        let told = diff(query).await;
        assert_eq!(told.status, StatusCode::OK, "{query}");
        let expected =
            json!({ "configId": "25k-own", "from": from, "to": to, "differences": capital(from, to) });
        assert_eq!(told.json(), expected, "{query}");
    }
    for same in ["?to=1", "?from=2&to=2"] {
        assert_eq!(diff(same).await.json()["differences"], json!([]), "{same}");
    }
    diff("?from=4").await.problem("config_not_found");
    let wrong = diff("?from=0&to=x&colour=red").await;
    assert_eq!(wrong.findings("invalid_parameter").len(), 3);
}

#[actix_web::test]
async fn what_an_older_version_is_already_is_answered_as_that_version() {
    let world = World::new();
    let key = versions(&world, 2).await;
    let mut old = config("25k-own");
    old["baseCapital"] = 10_000.into();
    let again = world.post(PATH, &key, &old).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!((&again.json()["version"], &again.json()["status"]), (&json!(1), &json!("superseded")));
    let wish = json!({ "userId": "u", "configId": "25k-own" });
    let accounts = "/api/v1/tenants/acme/accounts";
    let made = world.post(accounts, &key, &wish).await.json();
    assert_eq!((&made["configVersion"], &made["balance"]), (&json!(2), &json!(20_000)));
    for (version, balance) in [(1, 10_000), (2, 20_000)] {
        let mut wish = wish.clone();
        wish["configVersion"] = json!(version);
        let made = world.post(accounts, &key, &wish).await.json();
        assert_eq!((&made["configVersion"], &made["balance"]), (&json!(version), &json!(balance)));
    }
    let mut wish = wish.clone();
    wish["configVersion"] = json!(3);
    world.post(accounts, &key, &wish).await.problem("unknown_config");
    wish["configVersion"] = json!(0);
    let refused = world.post(accounts, &key, &wish).await;
    assert_eq!(refused.findings("validation_failed")[0].0, "/configVersion");
}

#[actix_web::test]
async fn the_schema_is_served() {
    let world = World::new();
    let reply = world.get("/api/v1/schemas/account-config", "").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json(), tenantry_domain::config::schema());
}
