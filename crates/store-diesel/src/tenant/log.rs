//! Event logs: a tenant's and, in tables of the same form, the platform's.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::EventId;
use tenantry_domain::timestamp;
use tenantry_ports::{
    AccountEvents, Counts, EventFilter, LogEntry, LogHead, LogRepository, RawEntry, StoreError, StoreResult,
    TenantLogRepository,
};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::{beginning, from_json, limit, number, sha256, to_json};
use crate::db::{Db, MultiBackend};
use crate::schema::{events, log_head};
use crate::transaction::Transaction;

/// The only row of `log_head`.
const HEAD: i64 = 1;

/// The columns of [`Counts`], which the database's triggers keep.
const COUNTS: (log_head::accounts, log_head::users, log_head::configs) =
    (log_head::accounts, log_head::users, log_head::configs);

type CountRow = (i64, i64, i64);

fn numbers((accounts, users, configs): CountRow) -> StoreResult<Counts> {
    let count = |stored| number("log head", stored);
    Ok(Counts { accounts: count(accounts)?, users: count(users)?, configs: count(configs)? })
}

/// A row of `events`. Type and account are the envelope's, for those who look into the database.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct EventRow {
    sequence: i64,
    id: String,
    event_type: String,
    account_id: Option<String>,
    envelope: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

impl EventRow {
    fn new(entry: &LogEntry) -> StoreResult<Self> {
        Ok(Self {
            sequence: entry.sequence,
            id: entry.event.id.to_string(),
            event_type: entry.event.event_type.to_string(),
            account_id: entry.event.account_id.map(|id| id.to_string()),
            envelope: to_json(&entry.event)?,
            previous: entry.previous.to_vec(),
            hash: entry.hash.to_vec(),
        })
    }

    fn raw(self) -> RawEntry {
        let Self { sequence, id, event_type, account_id, envelope, previous, hash } = self;
        RawEntry { sequence, id, event_type, account_id, envelope, previous, hash }
    }

    fn entry(self) -> StoreResult<LogEntry> {
        Ok(LogEntry {
            sequence: self.sequence,
            event: from_json("event", &self.envelope)?,
            previous: sha256("event", &self.previous)?,
            hash: sha256("event", &self.hash)?,
        })
    }
}

impl LogRepository for Transaction<'_> {
    fn lock(&mut self) -> StoreResult<LogHead> {
        self.write(|db| {
            let query = log_head::table.find(HEAD).select((log_head::sequence, log_head::hash));
            // On SQLite this transaction is the only one that writes, since it began.
            let (sequence, hash): (i64, Vec<u8>) = match db {
                Db::Sqlite(sqlite) => query.get_result(sqlite)?,
                Db::Postgres(postgres) => query.for_update().get_result(postgres)?,
            };
            Ok(LogHead { sequence, hash: sha256("log head", &hash)? })
        })
    }

    fn append(&mut self, entries: &[LogEntry]) -> StoreResult<()> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let follows =
            |pair: &[LogEntry]| pair[1].sequence == pair[0].sequence + 1 && pair[1].previous == pair[0].hash;
        self.write(|db| {
            if !entries.windows(2).all(follows) {
                return Err(StoreError::Stale.into());
            }
            let rows = entries.iter().map(EventRow::new).collect::<StoreResult<Vec<_>>>()?;
            let moved = match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(events::table).values(row).execute(sqlite)?;
                    }
                    let head = log_head::table
                        .find(HEAD)
                        .filter(log_head::sequence.eq(first.sequence - 1))
                        .filter(log_head::hash.eq(&first.previous[..]));
                    let new = (log_head::sequence.eq(last.sequence), log_head::hash.eq(&last.hash[..]));
                    diesel::update(head).set(new).execute(sqlite)?
                }
                Db::Postgres(postgres) => append_at_once(&rows, first, last).execute(postgres)?,
            };
            if moved == 0 {
                return Err(StoreError::Stale.into());
            }
            Ok(())
        })
    }

    fn head(&mut self) -> StoreResult<LogHead> {
        self.read(|db| {
            let query = log_head::table.find(HEAD).select((log_head::sequence, log_head::hash));
            let (sequence, hash): (i64, Vec<u8>) = query.get_result(db)?;
            Ok(LogHead { sequence, hash: sha256("log head", &hash)? })
        })
    }

    fn page(&mut self, after: i64, most: usize) -> StoreResult<Vec<LogEntry>> {
        self.read(|db| {
            let query =
                events::table.filter(events::sequence.gt(after)).order(events::sequence).limit(limit(most));
            let rows = query.select(EventRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(EventRow::entry).collect::<StoreResult<_>>()?)
        })
    }

    fn select(
        &mut self,
        filter: &EventFilter,
        after: i64,
        through: i64,
        most: usize,
    ) -> StoreResult<Vec<LogEntry>> {
        self.read(|db| {
            let mut query = events::table
                .filter(events::sequence.gt(after))
                .filter(events::sequence.le(through))
                .order(events::sequence)
                .limit(limit(most))
                .select(EventRow::as_select())
                .into_boxed::<MultiBackend>();
            if let Some(account) = filter.account {
                query = query.filter(events::account_id.eq(account.to_string()));
            }
            if let Some(tenant) = filter.tenant {
                let named = match db {
                    Db::Sqlite(_) => "json_extract(envelope, '$.tenantId') = ",
                    Db::Postgres(_) => "envelope::json ->> 'tenantId' = ",
                };
                query = query.filter(sql::<Bool>(named).bind::<Text, _>(tenant.to_string()));
            }
            match &filter.event_type {
                Some(EventTypePattern::Exactly(only)) => {
                    query = query.filter(events::event_type.eq(only.as_str()));
                }
                Some(EventTypePattern::Beginning(text)) if !text.is_empty() => {
                    query = query.filter(events::event_type.like(beginning(text)).escape('\\'));
                }
                Some(EventTypePattern::Beginning(_)) | None => {}
            }
            let rows = query.load::<EventRow>(db)?;
            Ok(rows.into_iter().map(EventRow::entry).collect::<StoreResult<_>>()?)
        })
    }

    fn find(&mut self, id: EventId) -> StoreResult<Option<LogEntry>> {
        self.read(|db| {
            let query = events::table.filter(events::id.eq(id.to_string()));
            let row = query.select(EventRow::as_select()).first(db).optional()?;
            Ok(row.map(EventRow::entry).transpose()?)
        })
    }

    fn raw(&mut self, after: i64, most: usize) -> StoreResult<Vec<RawEntry>> {
        self.read(|db| {
            let query =
                events::table.filter(events::sequence.gt(after)).order(events::sequence).limit(limit(most));
            let rows = query.select(EventRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(EventRow::raw).collect())
        })
    }
}

impl TenantLogRepository for Transaction<'_> {
    fn lock_and_count(&mut self) -> StoreResult<(LogHead, Counts)> {
        self.write(|db| {
            let query = log_head::table.find(HEAD).select((log_head::sequence, log_head::hash, COUNTS));
            let (sequence, hash, counts): (i64, Vec<u8>, CountRow) = match db {
                Db::Sqlite(sqlite) => query.get_result(sqlite)?,
                Db::Postgres(postgres) => query.for_update().get_result(postgres)?,
            };
            Ok((LogHead { sequence, hash: sha256("log head", &hash)? }, numbers(counts)?))
        })
    }

    fn counts(&mut self) -> StoreResult<Counts> {
        self.read(|db| {
            let counts = log_head::table.find(HEAD).select(COUNTS).get_result(db)?;
            Ok(numbers(counts)?)
        })
    }

    fn of_account(
        &mut self,
        filter: &AccountEvents,
        before: Option<i64>,
        most: usize,
    ) -> StoreResult<Vec<LogEntry>> {
        self.read(|db| {
            let account = filter.account.to_string();
            let mut query = events::table
                .filter(events::account_id.ge(&account))
                .select(EventRow::as_select())
                // The order of its index and of no other, as where accounts are listed.
                .order((events::account_id.desc(), events::sequence.desc()))
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            query = match before {
                None => query.filter(events::account_id.le(&account)),
                Some(before) => {
                    let place = sql::<Bool>("(account_id, sequence) < (").bind::<Text, _>(&account);
                    query.filter(place.sql(", ").bind::<BigInt, _>(before).sql(")"))
                }
            };
            match &filter.types {
                Some(EventTypePattern::Exactly(only)) => {
                    query = query.filter(events::event_type.eq(only.as_str()));
                }
                Some(EventTypePattern::Beginning(text)) if !text.is_empty() => {
                    query = query.filter(events::event_type.like(beginning(text)).escape('\\'));
                }
                Some(EventTypePattern::Beginning(_)) | None => {}
            }
            let timestamp = match db {
                Db::Sqlite(_) => "json_extract(envelope, '$.timestamp')",
                Db::Postgres(_) => "(envelope::json ->> 'timestamp') COLLATE \"C\"",
            };
            if let Some(from) = filter.from {
                query = query.filter(sql::<Bool>(timestamp).sql(" >= ").bind::<Text, _>(not_before(from)));
            }
            if let Some(until) = filter.until {
                query = query.filter(sql::<Bool>(timestamp).sql(" < ").bind::<Text, _>(not_before(until)));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(EventRow::entry).collect::<StoreResult<_>>()?)
        })
    }
}

/// The first moment that is not before `at`, as events write their times: in whole milliseconds, and so that they sort as text.
fn not_before(at: DateTime<Utc>) -> String {
    timestamp::to_text(at + TimeDelta::nanoseconds(999_999))
}

struct AppendEvents;

impl Sql for AppendEvents {
    const TEXT: &'static str = "\
        WITH appended AS ( \
            INSERT INTO events (sequence, id, type, account_id, envelope, previous, hash) \
            SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?) \
        ) \
        UPDATE log_head SET sequence = ?, hash = ? WHERE id = 1 AND sequence = ? AND hash = ?";
}

fn append_at_once<'a>(
    rows: &'a [EventRow],
    first: &'a LogEntry,
    last: &'a LogEntry,
) -> Bulk<'a, AppendEvents> {
    Bulk::new([
        Bind::Numbers(rows.iter().map(|row| row.sequence).collect()),
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.event_type.as_str()).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.account_id.as_deref()).collect()),
        Bind::Texts(rows.iter().map(|row| row.envelope.as_str()).collect()),
        Bind::Blobs(rows.iter().map(|row| row.previous.as_slice()).collect()),
        Bind::Blobs(rows.iter().map(|row| row.hash.as_slice()).collect()),
        Bind::Number(last.sequence),
        Bind::Blob(&last.hash),
        Bind::Number(first.sequence - 1),
        Bind::Blob(&first.previous),
    ])
}
