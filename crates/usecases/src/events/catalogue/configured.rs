//! What happens to what tenants configure.

use serde_json::{Value, json};
use tenantry_domain::event::EventType;

use super::Described;
use crate::events::data::{
    ConfigChanged, EndpointChanged, EndpointDisabled, EndpointRecovered, EndpointTried, OrganisationImported,
    Redelivered, SecretRotated, UnitChanged,
};

pub(super) fn configuration() -> Vec<Described> {
    let content = |name: &str| json!({ "processName": name });
    let example = |id: &str, before: Value, after: Value| json!({ "configId": id, "version": 2, "changedBy": "operator", "before": before, "after": after });
    let process = "pc_0195c0de00007000800000000000000d";
    let changed = Described::new::<ConfigChanged<'_>>;
    vec![
        changed(
            EventType::CONFIG_BASIS_UPDATED,
            "The tenant's basis was configured, changed or taken back to what it was.",
            example(
                "tc_0195c0de00007000800000000000000d",
                json!({ "theme": "light" }),
                json!({ "theme": "dark" }),
            ),
        ),
        changed(
            EventType::CONFIG_PROCESS_CREATED,
            "A process was configured, or taken back after it was removed.",
            example(process, Value::Null, content("Purchasing")),
        ),
        changed(
            EventType::CONFIG_PROCESS_UPDATED,
            "A process was changed.",
            example(process, content("Purchasing"), content("Buying")),
        ),
        changed(
            EventType::CONFIG_PROCESS_DELETED,
            "A process was removed.",
            example(process, content("Buying"), Value::Null),
        ),
    ]
}

pub(super) fn organisation() -> Vec<Described> {
    let content = |name: &str| json!({ "kind": "company_code", "code": "1000", "name": name });
    let example = |before: Value, after: Value| json!({ "kind": "company_code", "id": "cc_0195c0de00007000800000000000000e", "version": 2, "before": before, "after": after, "by": "operator" });
    let unit = Described::new::<UnitChanged<'_>>;
    vec![
        unit(
            EventType::ORG_CREATED,
            "A unit of the organisation was created.",
            example(Value::Null, content("Acme")),
        ),
        unit(
            EventType::ORG_UPDATED,
            "A unit of the organisation was changed.",
            example(content("Acme"), content("Acme Ltd.")),
        ),
        unit(
            EventType::ORG_DELETED,
            "A unit of the organisation was deleted.",
            example(content("Acme Ltd."), Value::Null),
        ),
        Described::new::<OrganisationImported<'_>>(
            EventType::ORG_IMPORTED,
            "A document about the organisation was imported; what it changed is told before.",
            json!({ "units": { "company_code": { "created": 1, "updated": 0, "unchanged": 2 } }, "by": "operator" }),
        ),
    ]
}

pub(super) fn webhooks() -> Vec<Described> {
    let endpoint = |enabled: bool| json!({ "url": "https://hooks.example.com", "description": "Billing", "eventTypes": ["account.*"], "enabled": enabled });
    let about = |more: Value| {
        let mut data =
            json!({ "webhookId": "hook_0195c0de00007000800000000000000f", "version": 2, "by": "operator" });
        data.as_object_mut()
            .into_iter()
            .for_each(|data| data.extend(more.as_object().cloned().unwrap_or_default()));
        data
    };
    let changed = Described::new::<EndpointChanged<'_>>;
    vec![
        changed(
            EventType::WEBHOOK_ENDPOINT_CREATED,
            "A webhook endpoint was created.",
            about(json!({ "before": null, "after": endpoint(true) })),
        ),
        changed(
            EventType::WEBHOOK_ENDPOINT_UPDATED,
            "A webhook endpoint was changed, disabled or enabled by hand.",
            about(json!({ "before": endpoint(true), "after": endpoint(false), "urlChanged": false })),
        ),
        changed(
            EventType::WEBHOOK_ENDPOINT_DELETED,
            "A webhook endpoint was removed.",
            about(json!({ "before": endpoint(true), "after": null })),
        ),
        Described::new::<SecretRotated<'_>>(
            EventType::WEBHOOK_ENDPOINT_SECRET_ROTATED,
            "A webhook endpoint got a new secret, or the one before it ended early.",
            about(json!({ "previousUntil": "2025-01-11T10:00:00.000Z" })),
        ),
        Described::new::<EndpointRecovered<'_>>(
            EventType::WEBHOOK_ENDPOINT_RECOVERED,
            "A webhook endpoint is sent what happened since a time and did not arrive.",
            about(json!({ "since": "2025-01-09T10:00:00.000Z", "firstSequence": 118 })),
        ),
        Described::new::<Redelivered<'_>>(
            EventType::WEBHOOK_DELIVERY_REDELIVERED,
            "An event is delivered anew, as somebody asked for.",
            about(json!({
                "deliveryId": "dlv_0195c0de000070008000000000000010",
                "eventId": "evt_0195c0de000070008000000000000011",
                "eventType": "account.provisioned",
            })),
        ),
        Described::new::<EndpointTried<'_>>(
            EventType::WEBHOOK_TEST,
            "A webhook endpoint is tried out: this is sent to it, and stands in no log.",
            json!({ "webhookId": "hook_0195c0de00007000800000000000000f", "by": "operator" }),
        ),
        Described::new::<EndpointDisabled<'_>>(
            EventType::WEBHOOK_ENDPOINT_DISABLED,
            "A webhook endpoint wants no more, or failed for so long that nothing is delivered to it any more.",
            about(json!({ "reason": "failing", "failingSince": "2025-01-05T10:00:00.000Z" })),
        ),
    ]
}
