//! What happens to tenants, their settings and configs.

use serde_json::{Value, json};
use tenantry_domain::event::EventType;

use super::Described;
use crate::events::data::{ConfigUploaded, QuotaPassed, SettingsUpdated, TenantImported, TenantStanding};

pub(super) fn tenants() -> Vec<Described> {
    let standing = |status: &str| json!({ "slug": "acme", "name": "Acme Ltd.", "plan": "Premium", "status": status, "version": 3 });
    let with = |status, more: Value| {
        let mut data = standing(status);
        data.as_object_mut()
            .into_iter()
            .for_each(|data| data.extend(more.as_object().cloned().unwrap_or_default()));
        data
    };
    let step = json!({
        "run": 1, "step": "CreateDatabase", "attempt": 1,
        "startedAt": "2025-01-10T10:00:00.000Z", "completedAt": "2025-01-10T10:00:00.250Z",
    });
    let failed = json!({
        "error": { "code": "provisioning_failed", "message": "The database could not be created." },
        "needsAttention": false,
    });
    let imported = json!({
        "archive": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
        "exportedAt": "2025-01-10T10:00:00.000Z",
        "from": { "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6", "slug": "acme" },
        "records": { "account": 12, "event": 40 },
    });
    let lifecycle = Described::new::<TenantStanding<'_>>;
    vec![
        lifecycle(
            EventType::TENANT_ANNOUNCED,
            "A tenant was announced and waits to be confirmed.",
            standing("PENDING_VALIDATION"),
        ),
        lifecycle(
            EventType::TENANT_EXPIRED,
            "A tenant that was announced was never confirmed.",
            standing("Expired"),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_QUEUED,
            "A tenant was confirmed and waits for a worker.",
            standing("QUEUED"),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_STARTED,
            "A worker began to provision a tenant.",
            standing("Provisioning"),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_STEP_COMPLETED,
            "A step of a tenant's provisioning succeeded.",
            with("Provisioning", step),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_FAILED,
            "A tenant's provisioning failed for good and was undone.",
            with("Failed", failed),
        ),
        lifecycle(EventType::TENANT_ACTIVATED, "A tenant can be used.", standing("Active")),
        lifecycle(
            EventType::TENANT_SUSPENDED,
            "A tenant was suspended.",
            with("Suspended", json!({ "by": "operator" })),
        ),
        lifecycle(
            EventType::TENANT_RESUMED,
            "A tenant can be used again.",
            with("Active", json!({ "by": "operator" })),
        ),
        lifecycle(
            EventType::TENANT_UPDATED,
            "A tenant's name, plan or contact address changed.",
            with("Active", json!({ "changed": ["plan"], "by": "operator" })),
        ),
        lifecycle(
            EventType::TENANT_DEPROVISIONING_QUEUED,
            "A tenant's database is going to be dropped, once its time of grace is over.",
            with("Deprovisioning", json!({ "dropAt": "2025-01-17T10:00:00.000Z", "by": "operator" })),
        ),
        lifecycle(
            EventType::TENANT_DEPROVISIONING_CANCELLED,
            "A tenant that was to be deleted stays as it was before, which was not in service.",
            with("Suspended", json!({ "by": "operator" })),
        ),
        lifecycle(EventType::TENANT_DELETED, "A tenant and its database are gone.", standing("Deleted")),
        Described::new::<TenantImported<'_>>(
            EventType::TENANT_IMPORTED,
            "The tenant took over what another one was exported with.",
            imported,
        ),
    ]
}

pub(super) fn settings_and_configs() -> Vec<Described> {
    let settings =
        |strategy: &str| json!({ "allowedConfigs": "*", "versioningStrategy": strategy, "quotas": {} });
    let quota = |used: u64| json!({ "quota": "maxAccounts", "limit": 100, "used": used });
    vec![
        Described::new::<SettingsUpdated<'_>>(
            EventType::SETTINGS_UPDATED,
            "The tenant's settings were changed.",
            json!({ "changedBy": "operator", "before": settings("explicit"), "after": settings("internal") }),
        ),
        Described::new::<QuotaPassed>(
            EventType::QUOTA_WARNING,
            "Four fifths of what the tenant may have of something are used.",
            quota(80),
        ),
        Described::new::<QuotaPassed>(
            EventType::QUOTA_REACHED,
            "The tenant has as many of something as it may have.",
            quota(100),
        ),
        Described::new::<ConfigUploaded<'_>>(
            EventType::CONFIG_UPLOADED,
            "A version of an account config was stored.",
            json!({
                "configId": "25k-eval-v1",
                "version": 1,
                "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
                "uploadedBy": "key_0195c0de00007000800000000000000a",
            }),
        ),
    ]
}
