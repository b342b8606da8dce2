//! What it takes to call each operation of the document.

use serde_json::{Value, json};
use tenantry_ports::Scope;

use super::organisation;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everybody.
    Public,
    /// Whoever has what is made for it alone: a confirmation token, a client's secret, a cookie. No caller's credential
    /// opens it.
    Own,
    /// The operator.
    Operator,
    /// An admin of the tenant, and the operator.
    Admin,
    /// An admin or a user of the tenant, and the operator.
    Staff,
    /// Somebody who is signed in to the tenant, whatever their role.
    Person,
    /// An admin of the tenant, the operator, and keys with this scope.
    Scope(Scope),
}

/// An operation, by its `operationId`.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) kind: Kind,
    /// A body that is taken, if it asks for one.
    pub(super) body: Option<fn() -> Value>,
}

const fn row(operation: &'static str, kind: Kind) -> Row {
    Row { operation, kind, body: None }
}

const fn with(operation: &'static str, kind: Kind, body: fn() -> Value) -> Row {
    Row { operation, kind, body: Some(body) }
}

/// Every operation.
pub(super) const ROWS: &[Row] = &[
    // Accounts.
    row("getAccount", Kind::Scope(Scope::AccountsRead)),
    with("provisionAccount", Kind::Scope(Scope::AccountsWrite), account),
    row("listAccounts", Kind::Scope(Scope::AccountsRead)),
    with("provisionAccounts", Kind::Scope(Scope::AccountsWrite), || json!({ "items": [account()] })),
    with("changeAccount", Kind::Scope(Scope::AccountsWrite), || json!({ "status": "disabled" })),
    row("closeAccount", Kind::Scope(Scope::AccountsWrite)),
    with(
        "migrateAccount",
        Kind::Scope(Scope::AccountsWrite),
        || json!({ "configId": "demo-25k-eval-v1", "dryRun": true }),
    ),
    row("listViolations", Kind::Scope(Scope::AccountsRead)),
    row("listAccountEvents", Kind::Scope(Scope::AccountsRead)),
    row("listAccountsOfUser", Kind::Scope(Scope::AccountsRead)),
    row("listUsersOfAccount", Kind::Scope(Scope::AccountsRead)),
    row("mapAccount", Kind::Scope(Scope::AccountsWrite)),
    row("unmapAccount", Kind::Scope(Scope::AccountsWrite)),
    with("applyTrades", Kind::Scope(Scope::TradesWrite), trade),
    row("listTrades", Kind::Scope(Scope::AccountsRead)),
    with(
        "markPrices",
        Kind::Scope(Scope::TradesWrite),
        || json!([{ "symbol": "EURUSD", "price": 1.1, "at": "2025-01-10T15:30:00Z" }]),
    ),
    // Configs.
    with("validateConfig", Kind::Scope(Scope::ConfigsRead), config),
    with("uploadConfig", Kind::Scope(Scope::ConfigsWrite), config),
    row("getConfig", Kind::Scope(Scope::ConfigsRead)),
    row("listConfigs", Kind::Scope(Scope::ConfigsRead)),
    // Basis and processes.
    with("configureBasis", Kind::Admin, basis),
    row("getBasis", Kind::Staff),
    row("listBasisHistory", Kind::Staff),
    with("restoreBasis", Kind::Admin, || json!({ "version": 1 })),
    row("listProcesses", Kind::Staff),
    row("getProcess", Kind::Staff),
    with("replaceProcess", Kind::Admin, process),
    row("deleteProcess", Kind::Admin),
    row("listProcessHistory", Kind::Staff),
    with("restoreProcess", Kind::Admin, || json!({ "version": 1 })),
    row("listConfigVersions", Kind::Scope(Scope::ConfigsRead)),
    row("getConfigVersion", Kind::Scope(Scope::ConfigsRead)),
    row("compareConfigVersions", Kind::Scope(Scope::ConfigsRead)),
    with("simulateConfig", Kind::Scope(Scope::ConfigsRead), || json!({ "events": [] })),
    // Settings.
    row("getSettings", Kind::Scope(Scope::SettingsRead)),
    with("replaceSettings", Kind::Scope(Scope::SettingsWrite), settings),
    row("getUsage", Kind::Scope(Scope::SettingsRead)),
    // Events.
    row("listEvents", Kind::Scope(Scope::EventsRead)),
    row("streamEvents", Kind::Scope(Scope::EventsRead)),
    row("getEventHead", Kind::Scope(Scope::EventsRead)),
    row("getEvent", Kind::Scope(Scope::EventsRead)),
    row("listPlatformEvents", Kind::Operator),
    row("streamPlatformEvents", Kind::Operator),
    row("getPlatformEventHead", Kind::Operator),
    row("getPlatformEvent", Kind::Operator),
    // API keys, and tokens that are got with them.
    with("createApiKey", Kind::Admin, api_key),
    row("listApiKeys", Kind::Admin),
    row("getApiKey", Kind::Admin),
    with("rotateApiKey", Kind::Admin, || json!({ "overlapSeconds": 3600 })),
    row("revokeApiKey", Kind::Admin),
    with("issueAccessToken", Kind::Own, || json!({ "grant_type": "client_credentials" })),
    row("getSigningKeys", Kind::Public),
    row("getAuthorizationServer", Kind::Public),
    // Signing in and out.
    with("login", Kind::Public, || json!({ "email": "nobody@acme.com", "password": "ChangeMe123!" })),
    row("refresh", Kind::Own),
    row("logout", Kind::Own),
    row("me", Kind::Person),
    with("changePassword", Kind::Person, passwords),
    row("listOwnSessions", Kind::Person),
    row("endOwnSession", Kind::Person),
    row("endOwnSessions", Kind::Person),
    // People.
    with("registerUser", Kind::Admin, person),
    row("getRoleConfig", Kind::Admin),
    row("listUsers", Kind::Admin),
    row("getUser", Kind::Admin),
    with("changeUser", Kind::Admin, || json!({ "role": "VENDOR" })),
    row("listSessionsOfUser", Kind::Admin),
    row("endSessionOfUser", Kind::Admin),
    row("endSessionsOfUser", Kind::Admin),
    // The organisation.
    with("createCompanyCode", Kind::Admin, organisation::company_code),
    row("listCompanyCodes", Kind::Staff),
    row("getCompanyCode", Kind::Staff),
    with("replaceCompanyCode", Kind::Admin, organisation::company_code),
    row("deleteCompanyCode", Kind::Admin),
    with("createPlant", Kind::Admin, organisation::plant),
    row("listPlants", Kind::Staff),
    row("getPlant", Kind::Staff),
    with("replacePlant", Kind::Admin, organisation::plant),
    row("deletePlant", Kind::Admin),
    with("createStorageLocation", Kind::Admin, organisation::storage_location),
    row("listStorageLocations", Kind::Staff),
    row("getStorageLocation", Kind::Staff),
    with("replaceStorageLocation", Kind::Admin, organisation::storage_location),
    row("deleteStorageLocation", Kind::Admin),
    with("createPurchasingOrg", Kind::Admin, organisation::company_code),
    row("listPurchasingOrgs", Kind::Staff),
    row("getPurchasingOrg", Kind::Staff),
    with("replacePurchasingOrg", Kind::Admin, organisation::company_code),
    row("deletePurchasingOrg", Kind::Admin),
    with("createPurchasingGroup", Kind::Admin, organisation::purchasing_group),
    row("listPurchasingGroups", Kind::Staff),
    row("getPurchasingGroup", Kind::Staff),
    with("replacePurchasingGroup", Kind::Admin, organisation::purchasing_group),
    row("deletePurchasingGroup", Kind::Admin),
    with("createPorgAssignment", Kind::Admin, organisation::porg_assignment),
    row("listPorgAssignments", Kind::Staff),
    row("getPorgAssignment", Kind::Staff),
    with("replacePorgAssignment", Kind::Admin, organisation::porg_assignment),
    row("deletePorgAssignment", Kind::Admin),
    row("getOrgHierarchy", Kind::Staff),
    row("exportOrganisation", Kind::Staff),
    with("importOrganisation", Kind::Admin, || json!({ "units": [] })),
    // Webhooks.
    with(
        "createWebhook",
        Kind::Scope(Scope::WebhooksWrite),
        || json!({ "url": "https://hooks.example.com/" }),
    ),
    row("listWebhooks", Kind::Scope(Scope::WebhooksRead)),
    row("getWebhook", Kind::Scope(Scope::WebhooksRead)),
    with("changeWebhook", Kind::Scope(Scope::WebhooksWrite), || json!({ "enabled": true })),
    row("deleteWebhook", Kind::Scope(Scope::WebhooksWrite)),
    with("rotateWebhookSecret", Kind::Scope(Scope::WebhooksWrite), || json!({ "overlapSeconds": 3600 })),
    row("endPreviousWebhookSecret", Kind::Scope(Scope::WebhooksWrite)),
    row("testWebhook", Kind::Scope(Scope::WebhooksWrite)),
    with("recoverWebhook", Kind::Scope(Scope::WebhooksWrite), || json!({ "since": "2025-01-10T10:00:00Z" })),
    row("listWebhookDeliveries", Kind::Scope(Scope::WebhooksRead)),
    row("getWebhookDelivery", Kind::Scope(Scope::WebhooksRead)),
    row("redeliverWebhookDelivery", Kind::Scope(Scope::WebhooksWrite)),
    // Tenants.
    row("getTenant", Kind::Admin),
    row("listTenants", Kind::Operator),
    with("changeTenant", Kind::Operator, || json!({ "plan": "Premium" })),
    row("deprovisionTenant", Kind::Operator),
    row("suspendTenant", Kind::Operator),
    row("resumeTenant", Kind::Operator),
    row("retryTenant", Kind::Operator),
    row("restoreTenant", Kind::Operator),
    // The doors.
    with("createTenant", Kind::Public, new_tenant),
    with(
        "initTenantProvisioning",
        Kind::Public,
        || json!({ "name": "Gamma", "slug": "gamma", "plan": "Basic" }),
    ),
    row("confirmTenantProvisioning", Kind::Own),
    row("getProvisioningStatus", Kind::Public),
    row("streamProvisioningStatus", Kind::Public),
    // About the server.
    row("getAccountConfigSchema", Kind::Public),
    row("listProblems", Kind::Public),
    row("getProblem", Kind::Public),
    row("getLiveness", Kind::Public),
    row("getReadiness", Kind::Public),
    row("getOpenApi", Kind::Public),
    row("browseOpenApi", Kind::Public),
];

fn account() -> Value {
    json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" })
}

fn trade() -> Value {
    json!({ "tradeId": "t-1", "symbol": "EURUSD", "side": "buy", "quantity": 1, "price": 1.1,
        "executedAt": "2025-01-10T15:30:00Z" })
}

fn config() -> Value {
    super::super::config("own-v1")
}

fn basis() -> Value {
    json!({ "tenantConfig": { "orgStructure": { "levels": 2 } }, "processConfig": process() })
}

fn process() -> Value {
    let step = json!({ "stepName": "Draft", "requiredRole": "BUYER" });
    json!({ "name": "Standard Tender", "processType": "TENDER", "steps": [step] })
}

fn settings() -> Value {
    json!({ "versioningStrategy": "internal" })
}

fn api_key() -> Value {
    json!({ "name": "another", "scopes": ["accounts:read"] })
}

fn passwords() -> Value {
    json!({ "currentPassword": "not this one", "newPassword": "correct horse battery staple" })
}

fn person() -> Value {
    json!({ "email": "bob@example.com", "password": "SecurePassword123!" })
}

fn new_tenant() -> Value {
    let admin = json!({ "email": "ann@gamma.com", "password": "ChangeMe123!" });
    json!({ "name": "Gamma", "subdomain": "gamma", "admin": admin })
}
