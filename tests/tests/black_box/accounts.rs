//! Configs and accounts over HTTP.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_tests::{Tenantry, for_each_backend};

use crate::steps::{config, count_accounts, tenant, website};

#[test]
fn an_account_is_provisioned_from_an_uploaded_config_and_read_back() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut website = website(&tenantry, "acme");
        let document = config("25k-eval-v1");
        let verdict = website.post("/api/v1/tenants/acme/configs/validate", &document).expect(200).json();
        assert_eq!((&verdict["status"], &verdict["errors"]), (&json!("OK"), &json!([])));
        let uploaded = website.post("/api/v1/tenants/acme/configs", &document).expect(201).json();
        assert_eq!((&uploaded["configId"], &uploaded["version"]), (&json!("25k-eval-v1"), &json!(1)));
        let taken = {
            let mut other = document.clone();
            other["displayName"] = json!("Other");
            other
        };
        let refused = website.post("/api/v1/tenants/acme/configs", &taken).expect(409).json();
        assert!(refused["detail"].as_str().unwrap().contains("25k-eval-v2"), "{refused}");

        // Source 000 writes the path without the prefix.
        let wanted = json!({ "userId": "user-42", "configId": "25k-eval-v1", "tenantId": "acme" });
        let created = website.post("/tenants/acme/accounts", &wanted).expect(201);
        let account = created.json();
        assert_eq!(
            (&account["status"], &account["balance"], &account["currency"], &account["configVersion"]),
            (&json!("provisioned"), &json!(25000), &json!("USD"), &json!(1))
        );
        let location = created.header("Location").unwrap();
        let read = website.get(location).expect(200);
        assert!(read.header("ETag").is_some());
        let state = read.json();
        assert_eq!((&state["accountId"], &state["equity"]), (&account["accountId"], &json!(25000)));
        assert!(!state["ruleStatuses"].as_array().unwrap().is_empty(), "{state}");
        let listed = website.get("/api/v1/tenants/acme/accounts?userId=user-42").expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let none = website.get("/api/v1/tenants/acme/accounts?userId=user-43").expect(200).json();
        assert_eq!((&none["items"], &none["nextCursor"]), (&json!([]), &Value::Null));
    });
}

#[test]
fn what_is_wrong_with_a_request_or_a_config_is_said_all_at_once() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut website = website(&tenantry, "acme");
        let mut bad = config("25k-eval-v1");
        bad["baseCapital"] = json!(10);
        bad["currency"] = json!("XXQ");
        bad["surprise"] = json!(true);
        bad["tenantId"] = json!("somebody-else");
        let verdict = website.post("/api/v1/tenants/acme/configs/validate", &bad).expect(200).json();
        let refused = website.post("/api/v1/tenants/acme/configs", &bad).expect(422).json();
        assert_eq!((&verdict["status"], &verdict["errors"]), (&json!("INVALID"), &refused["errors"]));
        let codes: BTreeSet<&str> = verdict["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["code"].as_str().unwrap())
            .collect();
        assert_eq!(
            codes,
            BTreeSet::from(["tenant_mismatch", "too_small", "unknown_currency", "unknown_member"])
        );

        let wanted = json!({ "userId": "user-42", "configId": "no-such-config" });
        let unknown = website.post("/api/v1/tenants/acme/accounts", &wanted);
        assert_eq!(unknown.expect(422).json()["code"], "unknown_config");
        let wanted = json!({ "userId": "", "configId": "X", "meta": 7, "extra": 1 });
        let invalid = website.post("/api/v1/tenants/acme/accounts", &wanted).expect(400).json();
        let pointers: Vec<_> = invalid["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        assert!(
            ["/configId", "/extra", "/meta", "/userId"].iter().all(|pointer| pointers.contains(pointer)),
            "{invalid}"
        );
        assert_eq!(count_accounts(&mut website, "acme"), 0);
    });
}

#[test]
fn sixteen_concurrent_requests_with_one_key_make_one_account() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut website = website(&tenantry, "acme");
        let body = json!({ "userId": "user-42", "configId": "demo-25k-eval-v1" });
        let send = |mut client: tenantry_tests::Client| {
            let request =
                client.request("POST", "/api/v1/tenants/acme/accounts").header("Idempotency-Key", "order-1");
            request.json(&body).send().expect(201)
        };
        let authorization = website.bearer().to_owned();
        let caller = |tenantry: &Tenantry| tenantry.client().with_bearer(&authorization);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    let client = caller(&tenantry);
                    scope.spawn(|| send(client))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.body.clone()).collect();
        assert_eq!(bodies.len(), 1, "all answers are the same, byte for byte");
        let fresh = answers.iter().filter(|answer| answer.header("Idempotent-Replayed").is_none()).count();
        assert_eq!(fresh, 1);
        assert_eq!(count_accounts(&mut website, "acme"), 1);

        tenantry.kill_hard();
        tenantry.restart();
        let replayed = send(caller(&tenantry));
        assert_eq!(
            (replayed.header("Idempotent-Replayed"), bodies.contains(&replayed.body)),
            (Some("true"), true)
        );
        let mut website = caller(&tenantry);
        assert_eq!(count_accounts(&mut website, "acme"), 1);
        // The source's own name for the header is the same key; another body under it is refused.
        let other = json!({ "userId": "user-43", "configId": "demo-25k-eval-v1" });
        let path = "/api/v1/tenants/acme/accounts";
        let same = website.request("POST", path).header("requestId", "order-1").json(&body).send();
        assert_eq!(same.expect(201).header("Idempotent-Replayed"), Some("true"));
        let reused = website.request("POST", path).header("requestId", "order-1").json(&other).send();
        assert_eq!(reused.expect(422).json()["code"], "idempotency_key_reused");
    });
}

#[test]
fn tenants_neither_see_nor_touch_each_other() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        tenant(&tenantry, "globex");
        let (mut acme, mut globex) = (website(&tenantry, "acme"), website(&tenantry, "globex"));
        let wanted = json!({ "userId": "user-42", "configId": "demo-25k-eval-v1" });
        let account = acme.post("/api/v1/tenants/acme/accounts", &wanted).expect(201).json();
        let id = account["accountId"].as_str().unwrap();
        let foreign = globex.get(&format!("/api/v1/tenants/globex/accounts/{id}")).expect(404).json();
        let missing = globex
            .get("/api/v1/tenants/globex/accounts/acc_0195c0de00007000800000000000000a")
            .expect(404)
            .json();
        assert_eq!((&foreign["code"], &foreign["detail"]), (&missing["code"], &missing["detail"]));
        let theirs = globex.get(&format!("/api/v1/tenants/acme/accounts/{id}")).expect(403).json();
        let nobodys = globex.get(&format!("/api/v1/tenants/no-such-tenant/accounts/{id}")).expect(403).json();
        assert_eq!((&theirs["code"], &theirs["detail"]), (&nobodys["code"], &nobodys["detail"]));
        tenantry.client().get(&format!("/api/v1/tenants/acme/accounts/{id}")).expect(401);
        assert_eq!(count_accounts(&mut globex, "globex"), 0);
    });
}
