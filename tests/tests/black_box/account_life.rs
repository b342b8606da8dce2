//! What becomes of accounts, over HTTP.

use serde_json::{Value, json};
use tenantry_tests::{Client, Response, Tenantry, for_each_backend};

use crate::steps::{config, count_accounts, tenant, website};

const BASE: &str = "/api/v1/tenants/acme";

fn send(website: &mut Client, method: &str, path: &str) -> Response {
    website.request(method, path).send()
}

fn put(website: &mut Client, path: &str, body: &Value) -> Response {
    website.request("PUT", path).json(body).send()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["accountId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn accounts_are_provisioned_in_bulk_and_a_repetition_finishes_what_was_begun() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let item = |n: usize| match n % 100 {
            7 => json!({ "userId": format!("user-{n}"), "configId": "no-such-config" }),
            8 => json!({ "userId": "", "configId": "25k-late-v1" }),
            _ => json!({ "userId": format!("user-{n}"), "configId": "demo-25k-eval-v1", "meta": { "n": n } }),
        };
        let mut items: Vec<_> = (0..1000).map(item).collect();
        let order = |site: &mut Client, items: &[Value]| {
            let body = json!({ "items": items });
            let path = format!("{BASE}/accounts/bulk");
            site.request("POST", &path)
                .header("Idempotency-Key", "order-1")
                .json(&body)
                .send()
                .expect(200)
                .json()
        };
        let first = order(&mut site, &items);
        assert_eq!((&first["provisioned"], &first["refused"]), (&json!(980), &json!(20)));
        assert_eq!((&first["items"][7]["status"], &first["items"][8]["status"]), (&json!(422), &json!(400)));
        assert_eq!(first["items"][8]["problem"]["errors"][0]["pointer"], "/items/8/userId");
        assert_eq!(count_accounts(&mut site, "acme"), 980);

        tenantry.kill_hard();
        tenantry.restart();
        let mut site = tenantry.client().with_bearer(site.bearer());
        site.post(&format!("{BASE}/configs"), &config("25k-late-v1")).expect(201);
        // What was malformed is mended; what was refused for good stays so.
        for item in items.iter_mut().skip(8).step_by(100) {
            item["userId"] = json!("mended");
        }
        let second = order(&mut site, &items);
        assert_eq!((&second["provisioned"], &second["replayed"]), (&json!(10), &json!(990)));
        assert_eq!(second["items"][0]["account"], first["items"][0]["account"]);
        assert_eq!(count_accounts(&mut site, "acme"), 990);
        let late = site.get(&format!("{BASE}/accounts?configId=25k-late-v1&status=provisioned&limit=200"));
        assert_eq!(ids(&late.expect(200).json()).len(), 10);

        let many = json!({ "items": vec![item(1); 1001] });
        let refused = site.post(&format!("{BASE}/accounts/bulk"), &many).expect(400).json();
        assert_eq!(refused["errors"][0]["code"], "too_many_items");
    });
}

#[test]
fn an_account_is_given_to_users_and_taken_from_them() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let body = json!({ "userId": "auth0|ann", "configId": "demo-25k-eval-v1" });
        let account = site.post(&format!("{BASE}/accounts"), &body).expect(201).json();
        let account = account["accountId"].as_str().unwrap().to_owned();
        let accounts_of = |site: &mut Client, user: &str| {
            ids(&site.get(&format!("{BASE}/users/{user}/accounts")).expect(200).json())
        };
        let (ann, bob) = ("auth0%7Cann", "b%2Fob");
        let map = |user: &str| format!("{BASE}/users/{user}/accounts/{account}/map");
        assert_eq!(accounts_of(&mut site, ann), std::slice::from_ref(&account));
        assert_eq!(send(&mut site, "POST", &map(bob)).expect(201).json()["userId"], "b/ob");
        send(&mut site, "POST", &map(bob)).expect(200);
        assert_eq!(accounts_of(&mut site, bob), std::slice::from_ref(&account));
        send(&mut site, "DELETE", &map(ann)).expect(204);
        assert_eq!(send(&mut site, "DELETE", &map(ann)).expect(404).json()["code"], "mapping_not_found");
        assert!(accounts_of(&mut site, ann).is_empty());
        let users = |site: &mut Client, query: &str| {
            site.get(&format!("{BASE}/accounts/{account}/users{query}")).expect(200).json()["items"].clone()
        };
        let now = users(&mut site, "");
        assert_eq!((now.as_array().unwrap().len(), &now[0]["userId"]), (1, &json!("b/ob")));
        let history = users(&mut site, "?history=true");
        assert_eq!((&history[0]["userId"], &history[0]["provisioned"]), (&json!("auth0|ann"), &json!(true)));
        assert!(history[0]["unmappedAt"].is_string() && history[0]["unmappedBy"].is_string(), "{history}");
        let log = site.get(&format!("{BASE}/accounts/{account}/audit-logs?eventType=account.*map*"));
        assert_eq!(log.expect(400).json()["errors"][0]["pointer"], "/eventType");
        let log = site.get(&format!("{BASE}/accounts/{account}/audit-logs")).expect(200).json();
        let types: Vec<_> =
            log["items"].as_array().unwrap().iter().map(|event| event["eventType"].clone()).collect();
        assert_eq!(types, ["account.unmapped", "account.mapped", "account.provisioned"]);
    });
}

#[test]
fn an_account_is_disabled_reset_migrated_and_closed() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut site = website(&tenantry, "acme");
        let settings = json!({ "versioningStrategy": "internal" });
        let mut operator = tenantry.operator();
        put(&mut operator, &format!("{BASE}/settings"), &settings).expect(200);
        let mut document = config("25k-eval-v1");
        site.post(&format!("{BASE}/configs"), &document).expect(201);
        let body = json!({ "userId": "user-42", "configId": "25k-eval-v1" });
        let made = site.post(&format!("{BASE}/accounts"), &body).expect(201);
        let path = made.header("Location").unwrap().to_owned();

        let disabled =
            put(&mut site, &path, &json!({ "status": "disabled", "meta": { "ticket": 1 } })).expect(200);
        assert_eq!(
            (disabled.header("ETag"), &disabled.json()["status"]),
            (Some("\"2\""), &json!("disabled"))
        );
        let stale =
            site.request("PUT", &path).header("If-Match", "\"1\"").json(&json!({ "status": "enabled" }));
        assert_eq!(stale.send().expect(412).json()["code"], "precondition_failed");
        let enabled =
            put(&mut site, &path, &json!({ "status": "enabled", "action": "reset" })).expect(200).json();
        assert_eq!(enabled["status"], "provisioned");

        document["baseCapital"] = json!(50_000);
        site.post(&format!("{BASE}/configs"), &document).expect(201);
        let migrate = format!("{path}/migrate");
        let plan = site.post(&migrate, &json!({ "configVersion": 2, "dryRun": true })).expect(200).json();
        assert_eq!((&plan["account"]["balance"], &plan["inBreach"]), (&json!(50_000), &json!(false)));
        assert_eq!(site.get(&path).expect(200).json()["balance"], 25_000);
        site.post(&migrate, &json!({ "configVersion": 2 })).expect(200);
        let migrated = site.get(&path).expect(200).json();
        assert_eq!((&migrated["balance"], &migrated["configVersion"]), (&json!(50_000), &json!(2)));
        assert_eq!(
            site.post(&migrate, &json!({ "configVersion": 3 })).expect(422).json()["code"],
            "unknown_config"
        );

        send(&mut site, "DELETE", &path).expect(204);
        send(&mut site, "DELETE", &path).expect(204);
        assert_eq!(
            put(&mut site, &path, &json!({ "status": "enabled" })).expect(409).json()["code"],
            "account_final"
        );
        let closed = site.get(&format!("{BASE}/accounts?status=closed")).expect(200).json();
        assert_eq!(ids(&closed), [migrated["accountId"].as_str().unwrap()]);
        let log = site.get(&format!("{path}/audit-logs?eventType=account.*")).expect(200).json();
        let log = log["items"].as_array().unwrap();
        assert_eq!(log[0]["eventType"], "account.closed");
        assert!(log[..log.len() - 1].iter().all(|event| event["data"]["by"].is_string()), "{log:#?}");
        let violations = site.get(&format!("{path}/violations")).expect(200).json();
        assert_eq!(violations, json!({ "items": [], "nextCursor": null }));
    });
}
