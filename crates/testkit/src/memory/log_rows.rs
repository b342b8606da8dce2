use std::collections::BTreeMap;

use tenantry_ports::{LogFloor, LogHead, RawEntry, StoreError, StoreResult};

use super::log::Log;

/// An event log as it stands in a database, for somebody to tamper with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRows {
    /// The entries, by the place at which they stand.
    pub rows: BTreeMap<i64, RawEntry>,
    /// How far the log says that it has come.
    pub head: LogHead,
    /// Where the log says that it begins.
    pub floor: Option<LogFloor>,
}

impl LogRows {
    pub(super) fn of(log: &Log) -> StoreResult<Self> {
        match &log.tampered {
            Some(rows) => Ok((**rows).clone()),
            None => {
                let raw = |entry: &tenantry_ports::LogEntry| Ok((entry.sequence, super::log::raw(entry)?));
                let rows = log.entries.values().map(raw).collect::<Result<_, StoreError>>()?;
                Ok(Self { rows, head: log.written(), floor: log.floor })
            }
        }
    }
}
