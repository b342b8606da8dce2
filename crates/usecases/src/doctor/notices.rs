use tenantry_ports::{NoticeFilter, NoticeStatus};

use super::{Symptom, count};
use crate::{Platform, notices};

/// At most so many are counted.
const ENOUGH: usize = 100;

/// What nobody could be told. One that was given up is not tried again; it is forgotten after a while.
pub(super) fn symptom(platform: &Platform) -> Option<Symptom> {
    let place = "mails and webhook calls";
    let filter = NoticeFilter { status: Some(NoticeStatus::GivenUp), tenant: None };
    let lost = match notices::list(platform, &filter, None, ENOUGH) {
        Ok(lost) => lost,
        Err(error) => {
            let next = "look again; the control database did not answer";
            return Some(Symptom::error("registry_unreadable", "control database", error.to_string(), next));
        }
    };
    let Some(latest) = lost.first() else {
        return Some(Symptom::ok("notices", place, "none was given up"));
    };
    let (many, notices) = (if lost.len() == ENOUGH { "at least " } else { "" }, count(lost.len(), "notice"));
    let reason = latest.last_error.as_deref().unwrap_or("unknown");
    let what = format!("{many}{notices} given up, the latest a {}: {reason}", latest.notice.channel);
    let next = "`tenantry notices --status given-up` lists them; see to the settings below notifications, then \
                `tenantry notices resend --given-up`";
    Some(Symptom::warning("notices_given_up", place, what, next))
}
