use chrono::{DateTime, Utc};

use crate::{LogHead, StoreResult};

/// Where a tenant's event log begins of which the beginning was let go of, with a code that only this installation can make:
/// whoever removes entries from the beginning themselves cannot say that it was us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFloor {
    /// The last entry that was let go of; the next one is chained to its hash.
    pub head: LogHead,
    /// When this was said.
    pub at: DateTime<Utc>,
    /// The code over all of it and the tenant's id.
    pub mac: [u8; 32],
}

/// From where to where a log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSpan {
    /// The last entry that was let go of; 0 if none ever was.
    pub floor: i64,
    /// The last entry.
    pub head: LogHead,
}

/// The beginning of a tenant's event log. It is moved by the database's owner alone
/// ([`TenantDatabases::as_owner`](crate::TenantDatabases::as_owner)): tenants' own logins may remove no entry and write no floor.
pub trait FloorRepository {
    /// The floor; none if nothing was ever let go of.
    fn get(&mut self) -> StoreResult<Option<LogFloor>>;

    /// Where the log begins and ends, in one look-up and without standing in line.
    fn span(&mut self) -> StoreResult<LogSpan>;

    /// Removes every entry from the floor before up to and with that of this one, which takes its place; how many those were. A
    /// floor in the same place takes it, too, and removes nothing.
    ///
    /// Whoever calls this has locked the log. `Stale` if the floor there is is higher, if the entry is not there as the floor
    /// has it, and if it is the last one: that stays.
    fn raise(&mut self, floor: &LogFloor) -> StoreResult<usize>;

    /// Has a log in which there is nothing yet go on after this floor. Whoever calls this has locked the log. `Stale` if there is
    /// something; nothing is done if it goes on there already.
    fn begin(&mut self, floor: &LogFloor) -> StoreResult<()>;
}
