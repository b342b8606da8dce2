use std::sync::Arc;

use chrono::{DateTime, Utc};
use tenantry_ports::{LogEntry, LogHead, StoreError, StoreResult, TenantScope, TenantStore};

use super::SLICE;
use crate::Platform;
use crate::audit::{floor_after, is_our_floor};
use crate::transfer::check_link;

/// Lets go of the oldest entries of the log that are past their time at `now`, at most a slice of them; how many. All of them but
/// for the last one there is, and what an enabled webhook endpoint has not settled yet.
///
/// Where a log is not what was written nothing is let go of: it is evidence.
pub(super) fn let_go(
    platform: &Platform,
    scope: &TenantScope,
    store: &Arc<dyn TenantStore>,
    now: DateTime<Utc>,
) -> StoreResult<usize> {
    let before = platform.policy.event_retention.and_then(|retention| now.checked_sub_signed(retention));
    let Some(before) = before else { return Ok(0) };
    let is_old = |entry: &LogEntry| entry.event.timestamp < before;
    let floor = store.read(|tx| tx.floor().get())?;
    let mut head = floor.map_or(LogHead::EMPTY, |floor| floor.head);
    // Mostly there is nothing: one look tells.
    let oldest = store.read(|tx| tx.log().page(head.sequence, 1))?;
    if !oldest.first().is_some_and(is_old) {
        return Ok(0);
    }
    if floor.is_some_and(|floor| !is_our_floor(platform.macs.as_ref(), scope.tenant(), &floor)) {
        return Err(flawed("where it begins was not signed with a secret key that the settings have"));
    }
    // Read before anybody has to wait: entries never change.
    let page = store.read(|tx| tx.log().page(head.sequence, SLICE))?;
    let mut old = Vec::with_capacity(page.len());
    for entry in page.iter().take_while(|entry| is_old(entry)) {
        check_link(platform.digest.as_ref(), head, entry)
            .map_err(|what| flawed(format!("entry {}: {what}", entry.sequence)))?;
        head = LogHead { sequence: entry.sequence, hash: entry.hash };
        old.push(head);
    }
    store.write(|tx| {
        let last = tx.log().lock()?.sequence - 1;
        let settled = tx.webhooks().unsettled()?.map_or(last, |first| last.min(first - 1));
        let Some(through) = old.iter().rfind(|head| head.sequence <= settled) else { return Ok(0) };
        match tx.floor().get()? {
            now if now.map(|floor| floor.head) == floor.map(|floor| floor.head) => {}
            // Somebody else was faster.
            _ => return Ok(0),
        }
        tx.floor().raise(&floor_after(platform, scope.tenant(), *through))
    })
}

fn flawed(what: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt(
        "event log",
        format!("{what}; nothing of it is let go of: run `tenantry audit verify`"),
    )
}
