//! What happens to an organisation. Every change is an event with the unit before and after it, also those of an import.

use serde_json::json;
use tenantry_domain::event::{EventType, NewEvent};
use tenantry_domain::organisation::{OrgContent, OrgUnit};

use super::Traced;

/// `org.created`.
pub(crate) fn unit_created(unit: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_CREATED, unit, (None, Some(&unit.content)), actor, trace)
}

/// `org.updated`.
pub(crate) fn unit_updated(before: &OrgUnit, after: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_UPDATED, after, (Some(&before.content), Some(&after.content)), actor, trace)
}

/// `org.deleted`.
pub(crate) fn unit_deleted(unit: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_DELETED, unit, (Some(&unit.content), None), actor, trace)
}

fn about(
    event_type: EventType,
    unit: &OrgUnit,
    (before, after): (Option<&OrgContent>, Option<&OrgContent>),
    actor: &str,
    trace: String,
) -> Traced {
    let data = json!({
        "kind": unit.kind(),
        "id": unit.id,
        "version": unit.version,
        "before": before,
        "after": after,
        "by": actor,
    });
    Traced { event: NewEvent::new(event_type, data), trace }
}
