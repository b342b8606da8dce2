use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::{AccountId, EventId, TenantId};
use tenantry_ports::EventFilter;
use tenantry_usecases::Log;
use tenantry_usecases::events::{FeedError, Start, Wanted};

use crate::problem::{Code, Problem};
use crate::query::Query;

/// The filters of a query about this log.
pub(super) fn wanted(query: &mut Query, log: &Log) -> Wanted {
    let event_type = query.value::<EventTypePattern>("eventType");
    let filter = match log {
        Log::Platform => {
            EventFilter { event_type, account: None, tenant: query.value::<TenantId>("tenantId") }
        }
        Log::Tenant(_) => {
            EventFilter { event_type, account: query.value::<AccountId>("accountId"), tenant: None }
        }
    };
    Wanted { filter, from: query.value("startTime"), until: None }
}

/// The event to begin after, if the query names one; otherwise `start`.
pub(super) fn begin(query: &mut Query, start: Start) -> Start {
    query.value::<EventId>("after").map_or(start, Start::AfterEvent)
}

/// What these filters are called where cursors are told apart.
pub(super) fn list_name(log: &Log, wanted: &Wanted) -> String {
    let event_type = wanted.filter.event_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let account = wanted.filter.account.map(|account| account.to_string());
    let about = account.or(wanted.filter.tenant.map(|tenant| tenant.to_string())).unwrap_or_default();
    let owner = log.owner().map_or_else(|| "platform".to_owned(), |tenant| tenant.to_string());
    format!("events {owner} {event_type} {about} {:?} {:?}", wanted.from, wanted.until)
}

pub(super) fn unknown() -> Problem {
    Problem::plain(Code::EventNotFound)
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::UnknownEvent(id) => Self::new(Code::EventNotFound, format!("There is no event {id}")),
            FeedError::Expired { first } => Self::expired(first),
            FeedError::Store(error) => error.into(),
        }
    }
}
