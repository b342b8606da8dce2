//! What it takes for each operation to succeed after those before it, and which events it leaves.

use serde_json::{Value, json};

use super::super::config;
use super::scene::Scene;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Operator,
    /// A key with every scope.
    Key,
    /// Somebody who is signed in.
    Person,
    /// The same, with the cookie.
    Cookie,
    /// Whoever has the token of a tenant that was announced.
    Confirmation,
    /// A key, as OAuth has it.
    Client,
    Nobody,
}

/// What an operation leaves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Left {
    /// These types in the tenant's log, in this order.
    InLog(&'static [&'static str]),
    /// These types in the platform's log, in this order. Those that begin with `tenant.` are told outside, too.
    InPlatformLog(&'static [&'static str]),
    /// No event, and why that is right.
    Nothing(#[expect(dead_code, reason = "it is for whoever reads the table")] &'static str),
}

use Left::{InLog, InPlatformLog, Nothing};

/// An operation, by its `operationId`.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) by: By,
    pub(super) body: Option<fn(&Scene) -> Value>,
    /// What names in the path stand for that is another thing than the tenant has one of: what an operation made.
    pub(super) about: &'static [(&'static str, &'static str)],
    /// Whether the person signs in anew before.
    pub(super) anew: bool,
    /// The code that it is answered with though it was done.
    pub(super) refused: Option<&'static str>,
    pub(super) left: Left,
}

const fn row(operation: &'static str, by: By, left: Left) -> Row {
    Row { operation, by, body: None, about: &[], anew: false, refused: None, left }
}

const fn with(operation: &'static str, by: By, left: Left, body: fn(&Scene) -> Value) -> Row {
    Row { body: Some(body), ..row(operation, by, left) }
}

const fn of(operation: &'static str, left: Left, about: &'static [(&'static str, &'static str)]) -> Row {
    Row { about, ..row(operation, By::Operator, left) }
}

const LOOK: Left = Nothing("It changes nothing.");

/// Every operation that is no mere look, in an order in which each of them can be done.
pub(super) const ROWS: &[Row] = &[
    // Configs.
    with("validateConfig", By::Key, LOOK, |_| config("own-v2")),
    with("simulateConfig", By::Key, LOOK, |_| json!({ "events": [] })),
    with("uploadConfig", By::Key, InLog(&["config.uploaded"]), |_| config("own-v2")),
    // Accounts.
    with("provisionAccount", By::Key, InLog(&["account.provisioned"]), account),
    with(
        "provisionAccounts",
        By::Key,
        InLog(&["account.provisioned"]),
        |scene| json!({ "items": [account(scene)] }),
    ),
    row("mapAccount", By::Key, InLog(&["account.mapped"])),
    row("unmapAccount", By::Key, InLog(&["account.unmapped"])),
    with(
        "migrateAccount",
        By::Key,
        InLog(&["account.updated"]),
        |_| json!({ "configId": "demo-25k-eval-v1" }),
    ),
    with("applyTrades", By::Key, InLog(&["account.traded", "account.state_changed"]), |_| {
        json!({ "tradeId": "t-1", "symbol": "EURUSD", "side": "buy", "quantity": 1, "price": 1.1,
            "executedAt": "2025-01-10T15:30:00Z" })
    }),
    with(
        "markPrices",
        By::Key,
        InLog(&["prices.marked"]),
        |_| json!([{ "symbol": "EURUSD", "price": 1.1, "at": "2025-01-10T15:31:00Z" }]),
    ),
    with("changeAccount", By::Key, InLog(&["account.state_changed"]), |_| json!({ "status": "disabled" })),
    Row {
        about: &[("accountId", "provisionAccount")],
        ..row("closeAccount", By::Key, InLog(&["account.state_changed", "account.closed"]))
    },
    // Basis and processes.
    with(
        "configureBasis",
        By::Operator,
        InLog(&["config.basis.updated", "config.process.created"]),
        |_| json!({ "tenantConfig": { "orgStructure": { "levels": 2 } }, "processConfig": process("Tender") }),
    ),
    with("restoreBasis", By::Operator, InLog(&["config.basis.updated"]), |_| json!({ "version": 1 })),
    with("replaceProcess", By::Operator, InLog(&["config.process.updated"]), |_| process("Buying")),
    with("restoreProcess", By::Operator, InLog(&["config.process.updated"]), |_| json!({ "version": 1 })),
    row("deleteProcess", By::Operator, InLog(&["config.process.deleted"])),
    // The organisation.
    with("createCompanyCode", By::Operator, InLog(&["org.created"]), |_| named("NEW")),
    with("createPlant", By::Operator, InLog(&["org.created"]), |scene| below(scene, "companyCodeId", "NEW")),
    with("createStorageLocation", By::Operator, InLog(&["org.created"]), |scene| {
        below(scene, "plantId", "NEW")
    }),
    with("createPurchasingOrg", By::Operator, InLog(&["org.created"]), |_| named("NEW")),
    with("createPurchasingGroup", By::Operator, InLog(&["org.created"]), |scene| {
        below(scene, "purchasingOrgId", "NEW")
    }),
    with(
        "createPorgAssignment",
        By::Operator,
        InLog(&["org.created"]),
        |scene| json!({ "purchasingOrgId": scene.id("purchasingOrgId"), "plantId": scene.id("createPlant") }),
    ),
    with("replaceCompanyCode", By::Operator, InLog(&["org.updated"]), |_| named("OTHER")),
    with("replacePlant", By::Operator, InLog(&["org.updated"]), |scene| {
        below(scene, "companyCodeId", "OTHER")
    }),
    with("replaceStorageLocation", By::Operator, InLog(&["org.updated"]), |scene| {
        below(scene, "plantId", "OTHER")
    }),
    with("replacePurchasingOrg", By::Operator, InLog(&["org.updated"]), |_| named("OTHER")),
    with("replacePurchasingGroup", By::Operator, InLog(&["org.updated"]), |scene| {
        below(scene, "purchasingOrgId", "OTHER")
    }),
    Row {
        about: &[("porgAssignmentId", "createPorgAssignment")],
        ..with(
            "replacePorgAssignment",
            By::Operator,
            InLog(&["org.updated"]),
            |scene| json!({ "purchasingOrgId": scene.id("createPurchasingOrg"), "plantId": scene.id("createPlant") }),
        )
    },
    of("deletePorgAssignment", InLog(&["org.deleted"]), &[("porgAssignmentId", "createPorgAssignment")]),
    of("deletePurchasingGroup", InLog(&["org.deleted"]), &[("purchasingGroupId", "createPurchasingGroup")]),
    of("deletePurchasingOrg", InLog(&["org.deleted"]), &[("purchasingOrgId", "createPurchasingOrg")]),
    of("deleteStorageLocation", InLog(&["org.deleted"]), &[("storageLocationId", "createStorageLocation")]),
    of("deletePlant", InLog(&["org.deleted"]), &[("plantId", "createPlant")]),
    of("deleteCompanyCode", InLog(&["org.deleted"]), &[("companyCodeId", "createCompanyCode")]),
    with(
        "importOrganisation",
        By::Operator,
        InLog(&["org.created", "org.imported"]),
        |_| json!({ "units": [{ "kind": "company_code", "code": "CC9", "name": "Imported" }] }),
    ),
    // People.
    with(
        "registerUser",
        By::Operator,
        InLog(&["user.created"]),
        |_| json!({ "email": "bob@beta.com", "password": "SecurePassword123!" }),
    ),
    with(
        "login",
        By::Nobody,
        InLog(&["session.started"]),
        |_| json!({ "email": "pat@beta.com", "password": "SecurePassword123!" }),
    ),
    row("refresh", By::Cookie, Nothing("The session goes on; that a token comes again is told.")),
    Row {
        about: &[("sessionId", "session")],
        ..row("endOwnSession", By::Person, InLog(&["session.revoked"]))
    },
    Row { anew: true, ..row("logout", By::Cookie, InLog(&["session.revoked"])) },
    Row { anew: true, ..row("endOwnSessions", By::Person, InLog(&["user.signed_out"])) },
    Row {
        anew: true,
        ..with(
            "changePassword",
            By::Person,
            InLog(&["user.password_changed"]),
            |_| json!({ "currentPassword": "SecurePassword123!", "newPassword": "correct horse battery staple" }),
        )
    },
    row("endSessionOfUser", By::Operator, InLog(&["session.revoked"])),
    row("endSessionsOfUser", By::Operator, InLog(&["user.signed_out"])),
    with("changeUser", By::Operator, InLog(&["user.updated"]), |_| json!({ "role": "VENDOR" })),
    // Keys.
    with(
        "createApiKey",
        By::Operator,
        InPlatformLog(&["api_key.created"]),
        |_| json!({ "name": "another", "scopes": ["accounts:read"] }),
    ),
    with(
        "rotateApiKey",
        By::Operator,
        InPlatformLog(&["api_key.rotated"]),
        |_| json!({ "overlapSeconds": 3600 }),
    ),
    row("revokeApiKey", By::Operator, InPlatformLog(&["api_key.revoked"])),
    row("issueAccessToken", By::Client, Nothing("It proves who calls, as the key does that it is got with.")),
    // Webhooks.
    with(
        "createWebhook",
        By::Key,
        InLog(&["webhook.endpoint.created"]),
        |_| json!({ "url": "https://hooks.example.com/" }),
    ),
    row("testWebhook", By::Key, Nothing("It sends what never happened.")),
    row("redeliverWebhookDelivery", By::Key, InLog(&["webhook.delivery.redelivered"])),
    with(
        "recoverWebhook",
        By::Key,
        InLog(&["webhook.endpoint.recovered"]),
        |_| json!({ "since": "2025-01-10T10:00:00Z" }),
    ),
    with(
        "rotateWebhookSecret",
        By::Key,
        InLog(&["webhook.endpoint.secret_rotated"]),
        |_| json!({ "overlapSeconds": 3600 }),
    ),
    row("endPreviousWebhookSecret", By::Key, InLog(&["webhook.endpoint.secret_rotated"])),
    with("changeWebhook", By::Key, InLog(&["webhook.endpoint.updated"]), |_| json!({ "enabled": false })),
    row("deleteWebhook", By::Key, InLog(&["webhook.endpoint.deleted"])),
    // Settings.
    with(
        "replaceSettings",
        By::Key,
        InLog(&["settings.updated"]),
        |_| json!({ "versioningStrategy": "internal" }),
    ),
    // Tenants.
    with("changeTenant", By::Operator, InPlatformLog(&["tenant.updated"]), |_| json!({ "plan": "Premium" })),
    row("suspendTenant", By::Operator, InPlatformLog(&["tenant.suspended"])),
    row("resumeTenant", By::Operator, InPlatformLog(&["tenant.resumed"])),
    row("deprovisionTenant", By::Operator, InPlatformLog(&["tenant.deprovisioning.queued"])),
    row("restoreTenant", By::Operator, InPlatformLog(&["tenant.resumed"])),
    of("retryTenant", InPlatformLog(&["tenant.provisioning.queued"]), &[("tenantId", "failed")]),
    with(
        "initTenantProvisioning",
        By::Nobody,
        InPlatformLog(&["tenant.announced"]),
        |_| json!({ "name": "Gamma", "slug": "gamma", "plan": "Basic" }),
    ),
    row("confirmTenantProvisioning", By::Confirmation, InPlatformLog(&["tenant.provisioning.queued"])),
    Row {
        refused: Some("provisioning_unfinished"),
        ..with("createTenant", By::Nobody, InPlatformLog(&["tenant.provisioning.queued"]), |_| {
            let admin = json!({ "email": "ann@delta.com", "password": "ChangeMe123!" });
            json!({ "name": "Delta", "subdomain": "delta", "admin": admin })
        })
    },
];

fn account(_: &Scene) -> Value {
    json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" })
}

fn process(name: &str) -> Value {
    let step = json!({ "stepName": "Draft", "requiredRole": "BUYER" });
    json!({ "name": name, "processType": "TENDER", "steps": [step] })
}

fn named(code: &str) -> Value {
    json!({ "code": code, "name": code })
}

/// A unit below the one of the tenant that is called this.
fn below(scene: &Scene, above: &str, code: &str) -> Value {
    let mut unit = named(code);
    unit[above] = scene.id(above);
    unit
}
