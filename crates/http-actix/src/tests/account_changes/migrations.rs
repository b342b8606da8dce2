use super::*;

#[actix_web::test]
async fn a_dry_run_says_what_a_migration_then_does() {
    let place = Place::new().await;
    place.buy();
    place.mark("1.093");
    let before = place.read().await;
    let stricter = |document: &mut Value| {
        document["challengeDefinitions"][0]["rules"]["maxDrawdown"] = json!(0.02);
        document["challengeDefinitions"][0]["rules"]["dailyLossLimit"] = json!(0.02);
    };
    assert_eq!(place.upload(stricter).await, StatusCode::CREATED);
    let reply = place.migrate(json!({ "configVersion": 2, "dryRun": true })).await;
    assert_eq!((reply.status, reply.header("etag")), (StatusCode::OK, Some("\"3\"")));
    let plan = reply.json();
    assert_eq!((&plan["dryRun"], &plan["inBreach"]), (&json!(true), &json!(true)));
    assert_eq!(
        plan["from"],
        json!({ "configId": "25k-own-v1", "configVersion": 1, "status": "active", "challengeId": "phase-1" })
    );
    assert_eq!(
        plan["to"],
        json!({ "configId": "25k-own-v1", "configVersion": 2, "status": "breached", "challengeId": "phase-1" })
    );
    assert_eq!(plan["violations"][0]["rule"], "max_drawdown");
    assert_eq!(
        (&plan["violations"][0]["value"], &plan["violations"][0]["limit"]),
        (&json!(700), &json!(500))
    );
    let changes = plan["ruleChanges"].as_array().unwrap();
    let drawdown = changes.iter().find(|change| change["rule"] == "max_drawdown").unwrap();
    assert_eq!((&drawdown["before"]["limit"], &drawdown["after"]["limit"]), (&json!(2000), &json!(500)));
    assert_eq!((&place.read().await, place.types().await.len()), (&before, 1), "nothing was done");

    let mut done = place.migrate(json!({ "configId": "25k-own-v1" })).await.json();
    assert_eq!((&done["account"]["version"], &done["dryRun"]), (&json!(4), &json!(false)));
    assert_eq!(done["account"], place.read().await);
    for member in ["version", "updatedAt"] {
        done["account"][member] = plan["account"][member].clone();
    }
    done["dryRun"] = json!(true);
    assert_eq!(done, plan, "what was told came true");
    let types = place.types().await;
    assert_eq!(types[1], "account.updated");
    assert!(types.iter().any(|name| name == "rule.violation.max_drawdown"), "{types:?}");
    assert!(types.iter().any(|name| name == "challenge.failed"), "{types:?}");
    let record = &place.events().await[1];
    assert_eq!(record["meta"]["configVersion"], 2);
    assert_eq!(record["data"]["before"], json!({ "configId": "25k-own-v1", "configVersion": 1 }));
    assert_eq!(record["data"]["after"], json!({ "configId": "25k-own-v1", "configVersion": 2 }));
}

#[actix_web::test]
async fn a_migration_may_go_to_another_config_and_back() {
    let place = Place::new().await;
    let there = place.migrate(json!({ "configId": "demo-25k-eval-v1" })).await.json();
    assert_eq!(
        (&there["inBreach"], &there["account"]["configId"]),
        (&json!(false), &json!("demo-25k-eval-v1"))
    );
    assert_eq!(place.rules().0.id.as_str(), "demo-25k-eval-v1");
    let same = place.migrate(json!({ "configId": "demo-25k-eval-v1", "configVersion": 1 })).await;
    assert_eq!((same.header("etag"), &same.json()["ruleChanges"]), (Some("\"2\""), &json!([])));
    let back = place.migrate(json!({ "configId": "25k-own-v1", "configVersion": 1 })).await.json();
    assert_eq!((&back["account"]["configVersion"], &back["account"]["version"]), (&json!(1), &json!(3)));
    assert_eq!(place.types().await.len(), 3);
}

#[actix_web::test]
async fn where_an_account_cannot_migrate_to_is_told() {
    let place = Place::new().await;
    for unknown in [json!({ "configId": "no-such" }), json!({ "configVersion": 7 })] {
        let reply = place.migrate(unknown).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        reply.problem("unknown_config");
    }
    assert_eq!(place.upload(|document| document["currency"] = json!("EUR")).await, StatusCode::CREATED);
    for dry_run in [true, false] {
        place.migrate(json!({ "configVersion": 2, "dryRun": dry_run })).await.problem("other_currency");
    }
    let settings = json!({ "allowedConfigs": ["25k-own-v1"] });
    let request = TestRequest::put().uri(&format!("{BASE}/settings")).set_json(settings);
    assert_eq!(place.world.send(authorised(request, &place.key)).await.status, StatusCode::OK);
    place.migrate(json!({ "configId": "demo-25k-eval-v1" })).await.problem("config_not_allowed");
    assert_eq!(place.read().await["version"], 1);
}
