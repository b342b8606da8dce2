//! What happens to a tenant's basis and its processes.

use serde_json::json;
use tenantry_domain::Verbatim;
use tenantry_domain::basis::Subject;
use tenantry_domain::event::{EventType, NewEvent};

use super::Traced;

/// What became of something that a tenant configured.
pub(crate) struct ConfigChange {
    pub(crate) subject: Subject,
    pub(crate) version: i64,
    pub(crate) before: Option<Verbatim>,
    pub(crate) after: Option<Verbatim>,
    /// The version that was restored, if that is what happened.
    pub(crate) restored: Option<i64>,
}

/// `config.basis.…`, `config.process.…`: who changed what, with what it said before and says now.
pub(crate) fn config_changed(
    event_type: EventType,
    change: &ConfigChange,
    actor: &str,
    trace: String,
) -> Traced {
    let mut data = json!({
        "configId": change.subject,
        "version": change.version,
        "changedBy": actor,
        "before": change.before,
        "after": change.after,
    });
    if let Some(version) = change.restored {
        data["restoredFrom"] = version.into();
    }
    Traced { event: NewEvent::new(event_type, data), trace }
}
