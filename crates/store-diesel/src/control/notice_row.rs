use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_ports::{
    Attempted, Channel, Notice, NoticeRecord, NoticeState, Settlement, StoreError, StoreResult,
};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::{micros, named, number, parse, time};
use crate::schema::notices;

/// A row of `notices`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
pub(super) struct NoticeRow {
    pub(super) id: String,
    channel: String,
    tenant_id: String,
    event_type: String,
    payload: String,
    created_at: i64,
    due_at: Option<i64>,
    leased_by: Option<String>,
    leased_until: Option<i64>,
    pub(super) attempts: i64,
    last_error: Option<String>,
    settled_at: Option<i64>,
    delivered: Option<bool>,
}

impl NoticeRow {
    pub(super) fn new(notice: &Notice) -> Self {
        Self {
            id: notice.id.to_string(),
            channel: notice.channel.to_string(),
            tenant_id: notice.tenant.to_string(),
            event_type: notice.event.to_string(),
            payload: notice.payload.clone(),
            created_at: micros(notice.created_at),
            due_at: Some(micros(notice.created_at)),
            leased_by: None,
            leased_until: None,
            attempts: 0,
            last_error: None,
            settled_at: None,
            delivered: None,
        }
    }

    pub(super) fn notice(self) -> StoreResult<Notice> {
        Ok(Notice {
            id: parse("notice", &self.id)?,
            channel: named("notice", &self.channel, Channel::parse)?,
            tenant: parse("notice", &self.tenant_id)?,
            event: parse("notice", &self.event_type)?,
            payload: self.payload,
            created_at: time("notice", self.created_at)?,
        })
    }

    fn state(&self) -> StoreResult<NoticeState> {
        match (self.due_at, self.settled_at, self.delivered) {
            (Some(due), None, None) => Ok(NoticeState::Pending { due: time("notice", due)? }),
            (None, Some(at), Some(true)) => Ok(NoticeState::Delivered { at: time("notice", at)? }),
            (None, Some(at), Some(false)) => Ok(NoticeState::GivenUp { at: time("notice", at)? }),
            _ => Err(StoreError::corrupt("notice", "neither waiting nor settled")),
        }
    }

    pub(super) fn record(self) -> StoreResult<NoticeRecord> {
        Ok(NoticeRecord {
            state: self.state()?,
            attempts: number("notice", self.attempts)?,
            last_error: self.last_error.clone(),
            notice: self.notice()?,
        })
    }
}

/// What a settlement makes of a row.
pub(super) struct SettledRow<'a> {
    id: String,
    channel: &'static str,
    attempt: i64,
    due_at: Option<i64>,
    error: Option<&'a str>,
    settled_at: Option<i64>,
    delivered: Option<bool>,
}

impl<'a> SettledRow<'a> {
    pub(super) fn new(settlement: &'a Settlement, now: DateTime<Utc>) -> Self {
        let (due, error, delivered) = match &settlement.outcome {
            Attempted::Delivered => (None, None, Some(true)),
            Attempted::Again { at, error } => (Some(*at), Some(error.as_str()), None),
            Attempted::GivenUp { error } => (None, Some(error.as_str()), Some(false)),
        };
        Self {
            id: settlement.id.to_string(),
            channel: settlement.channel.as_str(),
            attempt: i64::from(settlement.attempt),
            due_at: due.map(micros),
            error,
            settled_at: delivered.map(|_| micros(now)),
            delivered,
        }
    }

    /// The same as [`settle_notices`] for one.
    pub(super) fn settle(self, sqlite: &mut SqliteConnection) -> QueryResult<usize> {
        let claimed = notices::table
            .find((self.id, self.channel))
            .filter(notices::attempts.eq(self.attempt))
            .filter(notices::leased_until.is_not_null());
        let changes = (
            notices::due_at.eq(self.due_at),
            notices::leased_by.eq(None::<String>),
            notices::leased_until.eq(None::<i64>),
            self.error.map(|error| notices::last_error.eq(error)),
            notices::settled_at.eq(self.settled_at),
            notices::delivered.eq(self.delivered),
        );
        diesel::update(claimed).set(changes).execute(sqlite)
    }
}

pub(super) struct InsertNotices;

impl Sql for InsertNotices {
    const TEXT: &'static str = "\
        INSERT INTO notices (id, channel, tenant_id, event_type, payload, created_at, due_at, attempts) \
        SELECT *, 0 FROM unnest(?, ?, ?, ?, ?, ?, ?)";
}

/// Inserts them all.
pub(super) fn insert_notices(rows: &[NoticeRow]) -> Bulk<'_, InsertNotices> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.channel.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.tenant_id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.event_type.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.payload.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.created_at).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.due_at).collect()),
    ])
}

pub(super) struct SettleNotices;

impl Sql for SettleNotices {
    const TEXT: &'static str = "\
        UPDATE notices n SET due_at = s.due_at, leased_by = NULL, leased_until = NULL, \
            last_error = coalesce(s.error, n.last_error), settled_at = s.settled_at, delivered = s.delivered \
        FROM unnest(?, ?, ?, ?, ?, ?, ?) AS s (id, channel, attempt, due_at, error, settled_at, delivered) \
        WHERE n.id = s.id AND n.channel = s.channel AND n.attempts = s.attempt AND n.leased_until IS NOT NULL";
}

/// Settles those that are still claimed as they were.
pub(super) fn settle_notices<'a>(rows: &'a [SettledRow<'_>]) -> Bulk<'a, SettleNotices> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.channel).collect()),
        Bind::Numbers(rows.iter().map(|row| row.attempt).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.due_at).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.error).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.settled_at).collect()),
        Bind::OptionalFlags(rows.iter().map(|row| row.delivered).collect()),
    ])
}
