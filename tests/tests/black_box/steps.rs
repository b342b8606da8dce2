//! What a website's back end does, one step at a time.

use std::time::Instant;

use serde_json::{Value, json};
use tenantry_tests::{Client, PATIENCE, Tenantry};

/// An account config with this id that inherits all else from the demonstration config.
pub(crate) fn config(id: &str) -> Value {
    json!({ "id": id, "displayName": "25K Evaluation", "parentConfigId": "demo-25k-eval-v1" })
}

/// Announces a tenant; the provisioning id and the confirmation token.
pub(crate) fn init(tenantry: &Tenantry, slug: &str) -> (String, String) {
    let body = json!({ "name": "Acme Corporation", "slug": slug, "plan": "Premium" });
    let answer = tenantry.client().post("/provision/tenants/init", &body).expect(200).json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("provisioningId"), text("confirmToken"))
}

/// Confirms it.
pub(crate) fn confirm(tenantry: &Tenantry, token: &str) {
    let answer = tenantry.client().request("POST", "/provision/tenants/confirm").bearer(token).send();
    assert_eq!(answer.expect(200).json()["status"], "QUEUED");
}

/// The public status of a provisioning.
pub(crate) fn status(tenantry: &Tenantry, provisioning_id: &str) -> Value {
    tenantry.client().get(&format!("/provision/tenants/{provisioning_id}/status")).expect(200).json()
}

/// Asks for the status until the tenant is `Active` or `Failed`.
pub(crate) fn settled(tenantry: &Tenantry, provisioning_id: &str) -> Value {
    let begin = Instant::now();
    loop {
        let status = status(tenantry, provisioning_id);
        if ["Active", "Failed"].contains(&status["status"].as_str().unwrap()) {
            return status;
        }
        assert!(begin.elapsed() < PATIENCE, "still {status}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// An active tenant through the front door.
pub(crate) fn tenant(tenantry: &Tenantry, slug: &str) {
    let (id, token) = init(tenantry, slug);
    confirm(tenantry, &token);
    assert_eq!(settled(tenantry, &id)["status"], "Active");
}

/// A caller with a key of this tenant that may do everything with configs, accounts and their trades.
pub(crate) fn website(tenantry: &Tenantry, slug: &str) -> Client {
    let scopes = ["configs:read", "configs:write", "accounts:read", "accounts:write", "trades:write"];
    let body = json!({ "name": "website", "scopes": scopes });
    let created = tenantry.operator().post(&format!("/api/v1/tenants/{slug}/api-keys"), &body).expect(201);
    tenantry.client().with_bearer(created.json()["key"].as_str().unwrap())
}

/// How many accounts the tenant has, page by page.
pub(crate) fn count_accounts(website: &mut Client, slug: &str) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page =
            website.get(&format!("/api/v1/tenants/{slug}/accounts?limit=200{cursor}")).expect(200).json();
        count += page["items"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            None => return count,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
}

/// Lets the tenant's callers send as much as they like.
pub(crate) fn lift_limits(tenantry: &Tenantry, slug: &str) {
    let settings = json!({ "quotas": { "maxAccounts": "unlimited", "requestsPerMinute": "unlimited" } });
    let mut operator = tenantry.operator();
    operator.request("PUT", &format!("/api/v1/tenants/{slug}/settings")).json(&settings).send().expect(200);
}
