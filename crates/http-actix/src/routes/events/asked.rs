use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::{AccountId, EventId};
use tenantry_ports::{EventFilter, TenantScope};
use tenantry_usecases::events::{FeedError, Start, Wanted};

use crate::problem::{Code, Problem};
use crate::query::Query;

/// The filters of a query.
pub(super) fn wanted(query: &mut Query) -> Wanted {
    let filter = EventFilter {
        event_type: query.value::<EventTypePattern>("eventType"),
        account: query.value::<AccountId>("accountId"),
    };
    Wanted { filter, from: query.value("startTime"), until: None }
}

/// The event to begin after, if the query names one; otherwise `start`.
pub(super) fn begin(query: &mut Query, start: Start) -> Start {
    query.value::<EventId>("after").map_or(start, Start::AfterEvent)
}

/// What these filters are called where cursors are told apart.
pub(super) fn list_name(scope: &TenantScope, wanted: &Wanted) -> String {
    let event_type = wanted.filter.event_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let account = wanted.filter.account.map(|account| account.to_string()).unwrap_or_default();
    format!("events {} {event_type} {account} {:?} {:?}", scope.tenant(), wanted.from, wanted.until)
}

pub(super) fn unknown() -> Problem {
    Problem::plain(Code::EventNotFound)
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::UnknownEvent(id) => {
                Self::new(Code::EventNotFound, format!("The tenant has no event {id}"))
            }
            FeedError::Expired { first } => Self::expired(first),
            FeedError::Store(error) => error.into(),
        }
    }
}
