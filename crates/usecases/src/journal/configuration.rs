//! What happens to a tenant's basis and its processes.

use tenantry_domain::Verbatim;
use tenantry_domain::basis::Subject;
use tenantry_domain::event::EventType;

use super::{Traced, event};
use crate::events::data;

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
    let data = data::ConfigChanged {
        config_id: change.subject,
        version: change.version,
        changed_by: actor,
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        restored_from: change.restored,
    };
    Traced { event: event(event_type, &data), trace }
}
