//! What it takes to call each operation of the document.

use serde_json::{Value, json};
use tenantry_ports::Scope;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everybody, or whoever has something that is made for it alone: a token, a cookie, a client's secret.
    Public,
    /// The operator.
    Operator,
    /// Somebody who is signed in to the tenant.
    Person,
    /// An admin of the tenant, and the operator.
    Admin,
    /// The same, and keys with this scope.
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

impl Row {
    /// Takes a credential of its own, which is no use anywhere else.
    pub(super) fn has_its_own_credential(&self) -> bool {
        OWN_CREDENTIAL.contains(&self.operation)
    }
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
    // Configs.
    with("validateConfig", Kind::Scope(Scope::ConfigsRead), config),
    with("uploadConfig", Kind::Scope(Scope::ConfigsWrite), config),
    row("getConfig", Kind::Scope(Scope::ConfigsRead)),
    row("listConfigs", Kind::Scope(Scope::ConfigsRead)),
    // Settings.
    row("getSettings", Kind::Scope(Scope::SettingsRead)),
    with("replaceSettings", Kind::Scope(Scope::SettingsWrite), settings),
    row("getUsage", Kind::Scope(Scope::SettingsRead)),
    // API keys.
    with("createApiKey", Kind::Admin, api_key),
    row("listApiKeys", Kind::Admin),
    row("getApiKey", Kind::Admin),
    row("revokeApiKey", Kind::Admin),
    with("rotateApiKey", Kind::Admin, || json!({ "overlapSeconds": 60 })),
    // People.
    row("me", Kind::Person),
    with("changePassword", Kind::Person, password),
    row("listOwnSessions", Kind::Person),
    row("endOwnSession", Kind::Person),
    with("registerUser", Kind::Admin, user),
    row("getRoleConfig", Kind::Admin),
    row("listUsers", Kind::Admin),
    row("getUser", Kind::Admin),
    with("changeUser", Kind::Admin, || json!({ "active": true })),
    row("listSessionsOfUser", Kind::Admin),
    row("endSessionOfUser", Kind::Admin),
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
    row("confirmTenantProvisioning", Kind::Public),
    row("getProvisioningStatus", Kind::Public),
    row("streamProvisioningStatus", Kind::Public),
    with("login", Kind::Public, || json!({ "email": "nobody@acme.com", "password": "ChangeMe123!" })),
    row("refresh", Kind::Public),
    row("logout", Kind::Public),
    with("issueAccessToken", Kind::Public, || json!({})),
    // About the server.
    row("getSigningKeys", Kind::Public),
    row("getAuthorizationServer", Kind::Public),
    row("getAccountConfigSchema", Kind::Public),
    row("listProblems", Kind::Public),
    row("getProblem", Kind::Public),
    row("getLiveness", Kind::Public),
    row("getReadiness", Kind::Public),
    row("getOpenApi", Kind::Public),
    row("browseOpenApi", Kind::Public),
];

const OWN_CREDENTIAL: [&str; 4] = ["confirmTenantProvisioning", "refresh", "logout", "issueAccessToken"];

fn password() -> Value {
    json!({ "currentPassword": "ChangeMe123!", "newPassword": "ChangeMe456!" })
}

fn user() -> Value {
    json!({ "email": "bob@example.com", "username": "bob", "password": "ChangeMe123!", "role": "USER" })
}

fn account() -> Value {
    json!({ "userId": "user-1", "configId": "demo-25k-eval-v1" })
}

fn config() -> Value {
    super::super::config("own-v1")
}

fn settings() -> Value {
    json!({ "versioningStrategy": "internal" })
}

fn api_key() -> Value {
    json!({ "name": "another", "scopes": ["accounts:read"] })
}

fn new_tenant() -> Value {
    let admin = json!({ "email": "ann@gamma.com", "password": "ChangeMe123!" });
    json!({ "name": "Gamma", "subdomain": "gamma", "admin": admin })
}
