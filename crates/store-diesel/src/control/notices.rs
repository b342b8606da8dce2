use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use tenantry_domain::id::EventId;
use tenantry_ports::{
    Channel, ClaimedNotice, Notice, NoticeFilter, NoticeRecord, NoticeRepository, NoticeStatus, Settlement,
    StoreResult,
};

use super::notice_row::{NoticeRow, SettledRow, insert_notices, settle_notices};
use crate::convert::{limit, micros, number};
use crate::db::Db;
use crate::schema::notices;
use crate::transaction::Transaction;

diesel::alias!(notices as earlier: Earlier);

impl NoticeRepository for Transaction<'_> {
    fn insert(&mut self, notices: &[Notice]) -> StoreResult<()> {
        if notices.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows: Vec<_> = notices.iter().map(NoticeRow::new).collect();
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(notices::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    insert_notices(&rows).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn claim(
        &mut self,
        channel: Channel,
        worker: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        most: usize,
    ) -> StoreResult<Vec<ClaimedNotice>> {
        self.write(|db| {
            let rows = first_in_line(db, channel, micros(now), limit(most))?;
            let ids = rows.iter().map(|row| row.id.as_str());
            let claim = (
                notices::leased_by.eq(worker),
                notices::leased_until.eq(micros(now + lease)),
                notices::attempts.eq(notices::attempts + 1),
            );
            let of_channel = notices::table.filter(notices::channel.eq(channel.as_str()));
            match db {
                _ if rows.is_empty() => {}
                Db::Sqlite(sqlite) => {
                    for id in ids {
                        diesel::update(of_channel.filter(notices::id.eq(id))).set(claim).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    diesel::update(of_channel.filter(notices::id.eq_any(ids)))
                        .set(claim)
                        .execute(postgres)?;
                }
            }
            let claimed = |row: NoticeRow| {
                Ok(ClaimedNotice { attempt: number("notice", row.attempts + 1)?, notice: row.notice()? })
            };
            Ok(rows.into_iter().map(claimed).collect::<StoreResult<_>>()?)
        })
    }

    fn settle(&mut self, settlements: &[Settlement], now: DateTime<Utc>) -> StoreResult<usize> {
        if settlements.is_empty() {
            return Ok(0);
        }
        self.write(|db| {
            let rows: Vec<_> = settlements.iter().map(|one| SettledRow::new(one, now)).collect();
            match db {
                Db::Sqlite(sqlite) => {
                    let mut settled = 0;
                    for row in rows {
                        settled += row.settle(sqlite)?;
                    }
                    Ok(settled)
                }
                Db::Postgres(postgres) => Ok(settle_notices(&rows).execute(postgres)?),
            }
        })
    }

    fn page(
        &mut self,
        filter: &NoticeFilter,
        after: Option<(EventId, Channel)>,
        most: usize,
    ) -> StoreResult<Vec<NoticeRecord>> {
        self.read(|db| {
            let mut query = notices::table
                .select(NoticeRow::as_select())
                .order((notices::id.desc(), notices::channel.desc()))
                .limit(limit(most))
                .into_boxed();
            query = match filter.status {
                None => query,
                Some(NoticeStatus::Pending) => query.filter(notices::due_at.is_not_null()),
                Some(NoticeStatus::Delivered) => query.filter(notices::delivered.eq(true)),
                Some(NoticeStatus::GivenUp) => query.filter(notices::delivered.eq(false)),
            };
            if let Some(tenant) = filter.tenant {
                query = query.filter(notices::tenant_id.eq(tenant.to_string()));
            }
            if let Some((id, channel)) = after {
                let (id, channel) = (id.to_string(), channel.as_str());
                let same_event = notices::id.eq(id.clone()).and(notices::channel.lt(channel));
                query = query.filter(notices::id.lt(id).or(same_event));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(NoticeRow::record).collect::<StoreResult<_>>()?)
        })
    }

    fn resend(&mut self, event: Option<EventId>, now: DateTime<Utc>) -> StoreResult<usize> {
        self.write(|db| {
            let given_up = notices::table.filter(notices::delivered.eq(false));
            let due = (
                notices::due_at.eq(micros(now)),
                notices::settled_at.eq(None::<i64>),
                notices::delivered.eq(None::<bool>),
            );
            Ok(match event {
                Some(id) => {
                    diesel::update(given_up.filter(notices::id.eq(id.to_string()))).set(due).execute(db)?
                }
                None => diesel::update(given_up).set(due).execute(db)?,
            })
        })
    }

    fn prune(&mut self, settled_before: DateTime<Utc>, most: usize) -> StoreResult<usize> {
        self.write(|db| {
            let old = notices::table
                .filter(notices::settled_at.lt(micros(settled_before)))
                .order(notices::settled_at)
                .limit(limit(most))
                .select((notices::id, notices::channel))
                .load::<(String, String)>(db)?;
            let mut gone = 0;
            for key in old {
                gone += diesel::delete(notices::table.find(key)).execute(db)?;
            }
            Ok(gone)
        })
    }
}

/// The notices of a channel that are due and not leased, and of which the tenant has none that has been due for longer,
/// leased or not; on PostgreSQL locked, but for those that somebody else is claiming right now.
fn first_in_line(db: &mut Db, channel: Channel, now: i64, most: i64) -> QueryResult<Vec<NoticeRow>> {
    let since = earlier.field(notices::due_at);
    let before = since
        .lt(notices::due_at)
        .or(since.eq(notices::due_at).and(earlier.field(notices::id).lt(notices::id)));
    let ahead = earlier
        .filter(earlier.field(notices::channel).eq(channel.as_str()))
        .filter(earlier.field(notices::tenant_id).eq(notices::tenant_id))
        .filter(since.is_not_null())
        .filter(before);
    let query = notices::table
        .filter(notices::channel.eq(channel.as_str()))
        .filter(notices::due_at.le(now))
        .filter(notices::leased_until.is_null().or(notices::leased_until.le(now)))
        .filter(not(exists(ahead)))
        .order((notices::due_at, notices::id))
        .limit(most);
    match db {
        Db::Sqlite(sqlite) => query.load(sqlite),
        Db::Postgres(postgres) => query.for_update().skip_locked().load(postgres),
    }
}
