use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::event::Event;
use tenantry_domain::id::EventId;
use tenantry_ports::{EventFilter, LogEntry, LogRepository, LogSpan, StoreError, StoreResult};

use crate::log::Reading;
use crate::{Log, Platform};

/// How many entries of a log one page looks through at most, for events that may be rare in it.
const STRETCH: i64 = 10_000;

/// How much earlier than the one before it an event may say that it happened: a log is in the order in which it was written,
/// by processes whose clocks differ.
const DISORDER: TimeDelta = TimeDelta::minutes(5);

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of what, and what about.
    pub filter: EventFilter,
    /// Only those that happened then or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those that happened before.
    pub until: Option<DateTime<Utc>>,
}

impl Wanted {
    /// Whether this event is wanted.
    pub fn matches(&self, event: &Event) -> bool {
        self.filter.matches(event) && self.at(event.timestamp)
    }

    fn at(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// Where in the log to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event.
    Beginning,
    /// After this place, which an earlier page ended at.
    After(i64),
    /// After this event.
    AfterEvent(EventId),
    /// With what is to come.
    End,
}

/// Some events of a log, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// Those that are wanted among the entries that were looked through.
    pub events: Vec<Event>,
    /// The place up to which that was; the next page begins after it.
    pub position: i64,
    /// Whether there is more already.
    pub more: bool,
}

/// Why there are no events.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// There is none to begin after.
    #[error("there is no event {0}")]
    UnknownEvent(EventId),
    /// What was asked for is kept no longer.
    #[error("the log begins with entry {first}: what was before is kept no longer")]
    Expired {
        /// The first entry that is kept.
        first: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// At most `limit` events of the log, the oldest first. Looks through so much of the log and no more, so a page may have
/// fewer events than there are, or none, and there be more all the same.
pub fn page(
    platform: &Platform,
    log: &Log,
    wanted: &Wanted,
    start: Start,
    limit: usize,
) -> Result<FeedPage, FeedError> {
    log.open(platform)?.look(|log| {
        // Read first: what is written in the meantime is for the next page.
        let LogSpan { floor, head } = log.span()?;
        let after = match start {
            Start::Beginning => match wanted.from {
                Some(from) => long_before(log.entries(), floor, head.sequence, from)?,
                None => floor,
            },
            Start::After(place) if place < floor => return Err(FeedError::Expired { first: floor + 1 }),
            Start::After(place) => place,
            Start::AfterEvent(id) => found(log, id)?.sequence,
            Start::End => head.sequence,
        };
        let through = match wanted.filter.account {
            // An account's events are found without looking at others'.
            Some(_) => head.sequence,
            None => head.sequence.min(after.saturating_add(STRETCH)),
        };
        if after >= through {
            return Ok(FeedPage { events: Vec::new(), position: after, more: false });
        }
        let entries = log.entries().select(&wanted.filter, after, through, limit)?;
        // Not every database shows one state throughout: what was let go of between the looks would be missed without a word.
        let begins = entries.first().map_or(through, |first| first.sequence - 1);
        if matches!(start, Start::After(_) | Start::AfterEvent(_)) && after < begins {
            let floor = log.span()?.floor;
            if after < floor {
                return Err(FeedError::Expired { first: floor + 1 });
            }
        }
        let position = match entries.last() {
            Some(last) if entries.len() >= limit => last.sequence,
            _ => through,
        };
        let end = wanted.until.and_then(|until| until.checked_add_signed(DISORDER));
        let over = |entry: &LogEntry| end.is_some_and(|end| end <= entry.event.timestamp);
        let more = position < head.sequence && !entries.last().is_some_and(over);
        let wanted = entries.into_iter().filter(|entry| wanted.at(entry.event.timestamp));
        Ok(FeedPage { events: wanted.map(LogEntry::told).collect(), position, more })
    })
}

/// The event of this id.
pub fn find(platform: &Platform, log: &Log, id: EventId) -> Result<Event, FeedError> {
    log.open(platform)?.look(|log| found(log, id).map(LogEntry::told))
}

/// The entry of this event. Where there is none, its id tells whether it would be as old as what is kept no longer: ids are in
/// order of time.
fn found(log: &mut Reading<'_>, id: EventId) -> Result<LogEntry, FeedError> {
    if let Some(entry) = log.entries().find(id)? {
        return Ok(entry);
    }
    let floor = log.span()?.floor;
    let first = if floor > 0 { log.entries().page(floor, 1)?.pop() } else { None };
    let begins = first.and_then(|first| first.event.timestamp.checked_add_signed(DISORDER));
    match begins.is_some_and(|begins| id < EventId::earliest_at(begins)) {
        true => Err(FeedError::Expired { first: floor + 1 }),
        false => Err(FeedError::UnknownEvent(id)),
    }
}

/// A place before everything that happened at `time` or later: found by halving, since a log is in order but for the
/// disorder that is allowed for.
fn long_before(log: &mut dyn LogRepository, floor: i64, head: i64, time: DateTime<Utc>) -> StoreResult<i64> {
    let early = time.checked_sub_signed(DISORDER).unwrap_or(time);
    let (mut before, mut not_before) = (floor, head);
    while before < not_before {
        let middle = before + (not_before - before + 1) / 2;
        match log.page(middle - 1, 1)?.first() {
            Some(entry) if entry.event.timestamp < early => before = middle,
            _ => not_before = middle - 1,
        }
    }
    Ok(before)
}
