//! What it takes to send each operation that creates something, again and again.

use serde_json::{Value, json};
use tenantry_ports::Scope;

use super::super::tenants::Worker;
use super::super::{World, config};

/// An operation that creates something, by its `operationId`.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) who: Who,
    /// With `{key}` in it where an API key is meant, and `{webhook}` for a webhook endpoint.
    pub(super) path: &'static str,
    /// What succeeds, once.
    pub(super) body: fn() -> Value,
    /// What is understood as well, and is something else.
    pub(super) other: fn() -> Value,
    /// What success is answered with.
    pub(super) status: u16,
    /// What is understood and refused, and how. Without one there is no such thing.
    pub(super) refused: Option<Refused>,
}

/// A body that is refused, and the code of the problem.
type Refused = (fn() -> Value, &'static str);

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    Operator,
    Key,
}

/// Every operation that creates something.
pub(super) const ROWS: [Row; 11] = [
    Row {
        operation: "provisionAccount",
        who: Who::Key,
        path: "/api/v1/tenants/acme/accounts",
        body: || json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" }),
        other: || json!({ "userId": "user-2", "configId": "demo-25k-eval-v1" }),
        status: 201,
        refused: Some((|| json!({ "userId": "user-1", "configId": "later-v1" }), "unknown_config")),
    },
    Row {
        operation: "uploadConfig",
        who: Who::Key,
        path: "/api/v1/tenants/acme/configs",
        body: || config("own-v1"),
        other: || config("own-v2"),
        status: 201,
        refused: Some((|| json!({ "id": "own-v1" }), "invalid_config")),
    },
    Row {
        operation: "createApiKey",
        who: Who::Operator,
        path: "/api/v1/tenants/acme/api-keys",
        body: || json!({ "name": "one", "scopes": ["accounts:read"] }),
        other: || json!({ "name": "two", "scopes": ["accounts:read"] }),
        status: 201,
        refused: None,
    },
    Row {
        operation: "rotateApiKey",
        who: Who::Operator,
        path: "/api/v1/tenants/acme/api-keys/{key}/rotate",
        body: || json!({ "overlapSeconds": 60 }),
        other: || json!({ "overlapSeconds": 61 }),
        status: 201,
        refused: None,
    },
    Row {
        operation: "registerUser",
        who: Who::Operator,
        path: "/api/v1/acme/auth/register",
        body: || json!({ "email": "ann@acme.com", "password": "SecurePassword123!" }),
        other: || json!({ "email": "bob@acme.com", "password": "SecurePassword123!" }),
        status: 201,
        refused: Some((
            || json!({ "email": "taken@acme.com", "password": "SecurePassword123!" }),
            "email_taken",
        )),
    },
    Row {
        operation: "createCompanyCode",
        who: Who::Operator,
        path: "/api/v1/acme/org/company-codes",
        body: || json!({ "code": "ONE", "name": "One" }),
        other: || json!({ "code": "TWO", "name": "Two" }),
        status: 201,
        refused: Some((|| json!({ "code": "TAKEN", "name": "Taken" }), "org_code_taken")),
    },
    Row {
        operation: "createPurchasingOrg",
        who: Who::Operator,
        path: "/api/v1/acme/org/purchasing-orgs",
        body: || json!({ "code": "ONE", "name": "One" }),
        other: || json!({ "code": "TWO", "name": "Two" }),
        status: 201,
        refused: None,
    },
    Row {
        operation: "createWebhook",
        who: Who::Key,
        path: "/api/v1/tenants/acme/webhooks",
        body: || json!({ "url": "https://one.example.com/" }),
        other: || json!({ "url": "https://two.example.com/" }),
        status: 201,
        refused: None,
    },
    Row {
        operation: "rotateWebhookSecret",
        who: Who::Key,
        path: "/api/v1/tenants/acme/webhooks/{webhook}/rotate-secret",
        body: || json!({ "overlapSeconds": 0 }),
        other: || json!({ "overlapSeconds": 0, "force": true }),
        status: 200,
        refused: None,
    },
    Row {
        operation: "createTenant",
        who: Who::Anybody,
        path: "/api/v1/tenants",
        body: || tenant("gamma"),
        other: || tenant("delta"),
        status: 201,
        refused: Some((|| tenant("acme"), "slug_taken")),
    },
    Row {
        operation: "initTenantProvisioning",
        who: Who::Anybody,
        path: "/provision/tenants/init",
        body: || json!({ "name": "Gamma", "slug": "gamma", "plan": "Basic" }),
        other: || json!({ "name": "Delta", "slug": "delta", "plan": "Basic" }),
        status: 200,
        refused: Some((|| json!({ "name": "Acme", "slug": "acme", "plan": "Basic" }), "slug_taken")),
    },
];

/// The operations that take a key and do with it what the table cannot say.
pub(super) const PARTICULAR: [&str; 7] = [
    // To an account, and each trade once by its own id, too: see tests/trades.rs.
    "applyTrades",
    // A key of its own for each item: see tests/bulk.rs.
    "provisionAccounts",
    // No body, and nothing that could be done twice.
    "mapAccount",
    // One function for all kinds of units; these hang on others.
    "createPlant",
    "createPorgAssignment",
    "createPurchasingGroup",
    "createStorageLocation",
];

/// The operations that are sent with POST and create nothing that a repetition could create twice.
pub(super) const OTHERS: [&str; 21] = [
    "validateConfig",
    "simulateConfig",
    // Their tokens, cookies and codes work once, or what they do is done once.
    "confirmTenantProvisioning",
    "login",
    "refresh",
    "logout",
    "changePassword",
    "issueAccessToken",
    "suspendTenant",
    "resumeTenant",
    "retryTenant",
    "restoreTenant",
    // What they lead to is the same, however often they are sent.
    "configureBasis",
    "markPrices",
    "restoreBasis",
    "restoreProcess",
    "importOrganisation",
    "migrateAccount",
    "recoverWebhook",
    "redeliverWebhookDelivery",
    // It creates nothing, and is there to be sent often.
    "testWebhook",
];

fn tenant(slug: &str) -> Value {
    let admin = json!({ "email": format!("admin@{slug}.com"), "password": "ChangeMe123!" });
    json!({ "name": format!("The {slug}"), "subdomain": slug, "admin": admin })
}

/// A world in which every row's body can succeed.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) operator: String,
    pub(super) key: String,
    key_id: String,
    webhook_id: String,
    _worker: Worker,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let world = World::new();
        let (_, key) = world.tenant_and_key("acme");
        let operator = world.operator();
        let wish = json!({ "name": "old", "scopes": ["accounts:read"] });
        let made = world.post("/api/v1/tenants/acme/api-keys", &operator, &wish).await.json();
        let key_id = made["id"].as_str().unwrap().to_owned();
        let wish = json!({ "url": "https://old.example.com/" });
        let made = world.post("/api/v1/tenants/acme/webhooks", &key, &wish).await.json();
        let webhook_id = made["id"].as_str().unwrap().to_owned();
        let taken = json!({ "email": "taken@acme.com", "password": "SecurePassword123!" });
        assert_eq!(world.post("/api/v1/acme/auth/register", &operator, &taken).await.status, 201);
        let taken = json!({ "code": "TAKEN", "name": "Taken" });
        assert_eq!(world.post("/api/v1/acme/org/company-codes", &operator, &taken).await.status, 201);
        let worker = Worker::start(&world);
        Self { world, operator, key, key_id, webhook_id, _worker: worker }
    }

    pub(super) fn path(&self, row: &Row) -> String {
        row.path.replace("{key}", &self.key_id).replace("{webhook}", &self.webhook_id)
    }

    pub(super) fn credential(&self, row: &Row) -> String {
        match row.who {
            Who::Anybody => String::new(),
            Who::Operator => self.operator.clone(),
            Who::Key => self.key.clone(),
        }
    }

    /// Somebody else's who may send it as well.
    pub(super) fn anothers(&self, row: &Row) -> String {
        match row.who {
            Who::Operator => self.world.operator(),
            Who::Anybody => String::new(),
            Who::Key => {
                let tenant = super::super::walls::tenant_of(&self.world, "acme");
                self.world.key(Some(tenant), &Scope::ALL)
            }
        }
    }
}
