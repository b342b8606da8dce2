use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::web::Bytes;
use tenantry_domain::event::Event;

/// How many events are remembered for those who are a little behind.
const ENTRIES: usize = 512;
/// How many bytes of them.
const BYTES: usize = 1024 * 1024;

/// An event as it is told, written out once for all who listen.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its place in the log.
    pub(crate) place: i64,
    /// What it is.
    pub(crate) event: Event,
    /// It as server-sent event.
    pub(crate) text: Bytes,
}

impl Told {
    /// None of an event that has no place or cannot be written, of which there is none.
    pub(crate) fn of(event: Event) -> Option<Self> {
        let place = event.meta.sequence?;
        // One line, as an event's data has to be: JSON has line breaks only where they are asked for.
        let data = serde_json::to_string(&event).ok()?;
        let mut text = String::with_capacity(data.len() + 128);
        let _ = write!(text, "event: {}\nid: {}\ndata: {data}\n\n", event.event_type, event.id);
        Some(Self { place, event, text: text.into() })
    }
}

/// The last events of a log, in order and without a gap.
#[derive(Debug)]
pub(crate) struct Recent {
    /// The place after which everything is remembered.
    floor: i64,
    told: VecDeque<Arc<Told>>,
    bytes: usize,
}

impl Recent {
    /// Nothing yet, of a log that was read up to this place.
    pub(crate) const fn after(place: i64) -> Self {
        Self { floor: place, told: VecDeque::new(), bytes: 0 }
    }

    /// The place up to which it was read.
    pub(crate) fn through(&self) -> i64 {
        self.told.back().map_or(self.floor, |last| last.place)
    }

    /// Adds what comes next, and forgets what is the oldest.
    pub(crate) fn add(&mut self, events: Vec<Event>) {
        for told in events.into_iter().filter_map(Told::of) {
            self.bytes += told.text.len();
            self.told.push_back(Arc::new(told));
        }
        while self.told.len() > ENTRIES || self.bytes > BYTES {
            let Some(oldest) = self.told.pop_front() else { return };
            self.bytes -= oldest.text.len();
            self.floor = oldest.place;
        }
    }

    /// At most `limit` events after this place; none if some of them are forgotten.
    pub(crate) fn since(&self, place: i64, limit: usize) -> Option<Vec<Arc<Told>>> {
        if place < self.floor {
            return None;
        }
        let at = self.told.partition_point(|told| told.place <= place);
        Some(self.told.range(at..).take(limit).map(Arc::clone).collect())
    }
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;

    fn events(places: std::ops::RangeInclusive<i64>, padding: usize) -> Vec<Event> {
        let event = |place| {
            let mut event = sample::event(sample::id());
            event.meta.sequence = Some(place);
            event.data = "x".repeat(padding).into();
            event
        };
        places.map(event).collect()
    }

    fn places(told: Option<Vec<Arc<Told>>>) -> Option<Vec<i64>> {
        told.map(|told| told.iter().map(|told| told.place).collect())
    }

    #[test]
    fn what_is_remembered_has_no_gap() {
        let mut recent = Recent::after(10);
        assert_eq!((recent.through(), places(recent.since(10, 9))), (10, Some(vec![])));
        assert_eq!(places(recent.since(9, 9)), None, "the tenth was never read");
        recent.add(events(11..=14, 1));
        assert_eq!(places(recent.since(12, 9)), Some(vec![13, 14]));
        assert_eq!(places(recent.since(10, 2)), Some(vec![11, 12]));
        assert_eq!(places(recent.since(20, 2)), Some(vec![]), "whoever is ahead waits");
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_nobody_is_told_less_than_all() {
        let mut recent = Recent::after(0);
        recent.add(events(1..=600, 1));
        assert_eq!((recent.told.len(), recent.through()), (ENTRIES, 600));
        let floor = 600 - i64::try_from(ENTRIES).unwrap();
        assert_eq!(places(recent.since(floor - 1, 9)), None);
        assert_eq!(places(recent.since(floor, 1)), Some(vec![floor + 1]));
        recent.add(events(601..=610, BYTES / 4));
        assert!(recent.told.len() <= 4 && recent.bytes <= BYTES, "{}", recent.bytes);
        assert_eq!(recent.through(), 610);
    }
}
