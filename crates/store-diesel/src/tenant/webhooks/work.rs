//! Which endpoints there is something to deliver to, and who does.

use chrono::{DateTime, Utc};
use diesel::dsl::{case_when, max, min};
use diesel::prelude::*;
use tenantry_domain::id::WebhookId;
use tenantry_ports::{ClaimedEndpoint, Outlook, SettledSlice, StoreError, StoreResult};
use uuid::Uuid;

use super::{deliveries, rows};
use crate::convert::{micros, optional_time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::webhook_endpoints::{self, dsl};
use crate::schema::{log_head, webhook_deliveries};

/// How far an enabled endpoint has come.
#[derive(Debug, Queryable)]
struct Standing {
    id: String,
    position: i64,
    retry_at: Option<i64>,
    rests_until: i64,
    lease_until: i64,
}

impl Standing {
    /// When there is something to deliver to it, while this is the last entry of the log.
    fn due(&self, head: i64, now: i64) -> Option<i64> {
        let work = if self.position < head { Some(now) } else { self.retry_at };
        work.map(|due| due.max(self.rests_until).max(self.lease_until))
    }
}

/// Every enabled endpoint, and the last entry of the log.
fn standings(db: &mut Db) -> Answer<(Vec<Standing>, i64)> {
    let columns = (dsl::id, dsl::position, dsl::retry_at, dsl::rests_until, dsl::lease_until);
    let enabled = webhook_endpoints::table.filter(dsl::disabled.is_null()).select(columns).load(db)?;
    if enabled.is_empty() {
        return Ok((enabled, 0));
    }
    // Read afterwards: what was appended in between is seen rather than missed.
    let head: Option<i64> = log_head::table.select(max(log_head::sequence)).get_result(db)?;
    Ok((enabled, head.unwrap_or_default()))
}

pub(super) fn outlook(db: &mut Db, now: DateTime<Utc>) -> Answer<Outlook> {
    let (enabled, head) = standings(db)?;
    let due = enabled.iter().filter_map(|standing| standing.due(head, micros(now))).min();
    Ok(Outlook { has_endpoints: !enabled.is_empty(), due: optional_time("webhook endpoint", due)? })
}

pub(super) fn unsettled(db: &mut Db) -> Answer<Option<i64>> {
    let (enabled, _) = standings(db)?;
    let ids = enabled.iter().map(|standing| &standing.id);
    let pending = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq_any(ids))
        .filter(webhook_deliveries::due_at.is_not_null());
    let pending: Option<i64> = pending.select(min(webhook_deliveries::sequence)).get_result(db)?;
    Ok(enabled.iter().map(|standing| standing.position + 1).chain(pending).min())
}

pub(super) fn claim(
    db: &mut Db,
    lease: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Answer<Vec<ClaimedEndpoint>> {
    let now = micros(now);
    let (enabled, head) = standings(db)?;
    let is_due = |standing: &Standing| standing.due(head, now).is_some_and(|due| due <= now);
    let mut wanted: Vec<_> = enabled.into_iter().filter(is_due).map(|standing| standing.id).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // In one order, so that two who claim at once do not wait for each other.
    wanted.sort_unstable();
    let token = lease.simple().to_string();
    let free = webhook_endpoints::table
        .filter(dsl::id.eq_any(&wanted))
        .filter(dsl::lease_until.le(now))
        .filter(dsl::disabled.is_null());
    let taken = (dsl::lease.eq(Some(&token)), dsl::lease_until.eq(micros(until)));
    diesel::update(free).set(taken).execute(db)?;
    let mine = webhook_endpoints::table
        .filter(dsl::id.eq_any(&wanted))
        .filter(dsl::lease.eq(Some(&token)))
        .select(claimed_columns())
        .order(dsl::id);
    let claimed = mine.load::<ClaimedRow>(db)?.into_iter().map(|row| of_row(row, lease));
    Ok(claimed.collect::<StoreResult<_>>()?)
}

pub(super) fn claimed(db: &mut Db, id: WebhookId, lease: Uuid) -> Answer<Option<ClaimedEndpoint>> {
    let mine = webhook_endpoints::table
        .filter(dsl::id.eq(id.to_string()))
        .filter(dsl::lease.eq(Some(lease.simple().to_string())))
        .select(claimed_columns());
    let found = mine.get_result::<ClaimedRow>(db).optional()?;
    Ok(found.map(|row| of_row(row, lease)).transpose()?)
}

type ClaimedRow = ((rows::EndpointRow, Option<i64>), i64, i64, Option<i64>);

/// The columns of a [`ClaimedRow`].
fn claimed_columns() -> (rows::Whole, dsl::position, dsl::recover_until, dsl::retry_at) {
    (rows::whole(), dsl::position, dsl::recover_until, dsl::retry_at)
}

fn of_row((row, cursor, recover_until, retry_at): ClaimedRow, lease: Uuid) -> StoreResult<ClaimedEndpoint> {
    Ok(ClaimedEndpoint {
        endpoint: rows::endpoint(row)?,
        lease,
        cursor,
        recovering: cursor < recover_until,
        retry_at: optional_time("webhook endpoint", retry_at)?,
    })
}

pub(super) fn settle(db: &mut Db, slice: &SettledSlice) -> Answer<()> {
    let id = slice.endpoint.to_string();
    let lease = slice.lease.simple().to_string();
    let mine = webhook_endpoints::table
        .filter(dsl::id.eq(&id))
        .filter(dsl::lease.eq(Some(&lease)))
        .filter(dsl::disabled.is_null());
    let now = (
        dsl::position.eq(slice.cursor),
        dsl::failing_since.eq(slice.failing_since.map(micros)),
        dsl::rests_until.eq(slice.rests_until.map_or(0, micros)),
        dsl::lease.eq(slice.keep_until.map(|_| &lease)),
        dsl::lease_until.eq(slice.keep_until.map_or(0, micros)),
    );
    // First of all, so that whoever has lost the lease writes nothing.
    if diesel::update(mine).set(now).execute(db)? == 0 {
        return Err(StoreError::Stale.into());
    }
    deliveries::insert(db, &slice.new)?;
    deliveries::update(db, &slice.changed)?;
    if slice.changed.is_empty() && slice.new.iter().all(|delivery| delivery.due.is_none()) {
        return Ok(());
    }
    note_retry(db, slice.endpoint)
}

pub(super) fn move_to(db: &mut Db, id: WebhookId, cursor: i64) -> Answer<()> {
    set_position(db, id, |_| true, cursor)
}

pub(super) fn go_back(db: &mut Db, id: WebhookId, cursor: i64) -> Answer<()> {
    set_position(db, id, |position| cursor < position, cursor)
}

fn set_position(db: &mut Db, id: WebhookId, moves: impl FnOnce(i64) -> bool, cursor: i64) -> Answer<()> {
    let endpoint = || webhook_endpoints::table.find(id.to_string());
    let (position, recover_until): (i64, i64) = endpoint()
        .select((dsl::position, dsl::recover_until))
        .get_result(db)
        .optional()?
        .ok_or(StoreError::Stale)?;
    if !moves(position) {
        return Ok(());
    }
    let now = (
        dsl::position.eq(cursor),
        dsl::recover_until.eq(position.max(recover_until)),
        dsl::lease.eq(None::<String>),
        dsl::lease_until.eq(0),
    );
    diesel::update(endpoint()).set(now).execute(db)?;
    Ok(())
}

/// Notes that a pending delivery of the endpoint is due at this moment: others may be earlier.
pub(super) fn due_at(db: &mut Db, id: WebhookId, now: i64) -> Answer<()> {
    let later = dsl::retry_at.is_null().or(dsl::retry_at.gt(now));
    let retry_at = case_when(later, Some(now)).otherwise(dsl::retry_at);
    diesel::update(webhook_endpoints::table.find(id.to_string()))
        .set(dsl::retry_at.eq(retry_at))
        .execute(db)?;
    Ok(())
}

/// Notes when the first pending delivery of the endpoint is due.
fn note_retry(db: &mut Db, id: WebhookId) -> Answer<()> {
    let id = id.to_string();
    let retry_at = earliest(db, &id)?;
    diesel::update(webhook_endpoints::table.find(&id)).set(dsl::retry_at.eq(retry_at)).execute(db)?;
    Ok(())
}

fn earliest(db: &mut Db, id: &str) -> Answer<Option<i64>> {
    let pending = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(id))
        .filter(webhook_deliveries::due_at.is_not_null());
    Ok(pending.select(min(webhook_deliveries::due_at)).get_result(db)?)
}
