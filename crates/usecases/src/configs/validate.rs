use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::config::{self, ConfigId, Inspection, Owner};
use tenantry_ports::{SchemaCheck, SchemaSource, StoreError, StoreResult, TenantScope, TenantTx};

use crate::Platform;

/// What is to be said about a config document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigVerdict {
    /// What is wrong; nothing if the document may be uploaded.
    pub errors: Vec<Finding>,
    /// What is doubtful.
    pub warnings: Vec<Finding>,
}

/// The account config's schema, as schema checks take it.
pub const fn account_config_schema() -> SchemaSource {
    SchemaSource { name: "account-config", generate: config::schema }
}

/// Says everything there is to say about a config document, and stores nothing.
pub fn validate(platform: &Platform, scope: &TenantScope, document: &Value) -> StoreResult<ConfigVerdict> {
    let store = platform.stores.open(scope)?;
    let Inspection { errors, warnings, .. } =
        store.read(|tx| inspect(platform.schemas.as_ref(), scope, tx, document))?;
    Ok(ConfigVerdict { errors, warnings })
}

/// Inspects a document against the configs this transaction sees.
pub(super) fn inspect(
    schemas: &dyn SchemaCheck,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    document: &Value,
) -> StoreResult<Inspection> {
    let schema = account_config_schema();
    let owner = Owner { tenant_id: scope.tenant(), slug: scope.slug() };
    let mut parents = |id: &ConfigId| -> Result<Option<Value>, StoreError> {
        Ok(tx.configs().get(id, None)?.map(|stored| stored.resolved))
    };
    config::inspect(document, &|resolved| schemas.findings(&schema, resolved), &mut parents, Some(&owner))
}
