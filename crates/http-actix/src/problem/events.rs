//! The same for events.

use super::{Code, Problem};

impl Problem {
    /// What was asked for was before the first event that is kept.
    pub(crate) fn expired(first: i64) -> Self {
        let detail = format!("Events before number {first} are kept no longer");
        Self::new(Code::EventsExpired, detail).with("firstSequence", first)
    }
}
