use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::prelude::*;
use tenantry_domain::id::{AccountId, DeliveryId, WebhookId};
use tenantry_domain::webhook::DeliveryStatus;
use tenantry_ports::{Delivery, DeliveryFilter, StoreError, StoreResult};

use super::rows::DeliveryRow;
use super::{bulk, work};
use crate::convert::{limit, micros, parse, time};
use crate::db::{Db, MultiBackend};
use crate::error::Answer;
use crate::schema::events;
use crate::schema::webhook_deliveries::{self, dsl};

fn read(rows: Vec<DeliveryRow>) -> Answer<Vec<Delivery>> {
    Ok(rows.into_iter().map(DeliveryRow::delivery).collect::<StoreResult<_>>()?)
}

pub(super) fn due(
    db: &mut Db,
    endpoint: WebhookId,
    now: DateTime<Utc>,
    most: usize,
) -> Answer<Vec<Delivery>> {
    let query = webhook_deliveries::table
        .filter(dsl::endpoint_id.eq(endpoint.to_string()))
        .filter(dsl::due_at.le(micros(now)))
        .select(DeliveryRow::as_select())
        .order((dsl::due_at, dsl::sequence))
        .limit(limit(most));
    let mut found = read(query.load(db)?)?;
    found.sort_by_key(|delivery| delivery.sequence);
    Ok(found)
}

pub(super) fn pending_about(
    db: &mut Db,
    endpoint: WebhookId,
    accounts: &[AccountId],
    attempts: u32,
) -> Answer<Vec<(AccountId, DateTime<Utc>)>> {
    let accounts = accounts.iter().map(ToString::to_string);
    let query = webhook_deliveries::table
        .inner_join(events::table.on(events::sequence.eq(dsl::sequence)))
        .filter(dsl::endpoint_id.eq(endpoint.to_string()))
        .filter(dsl::due_at.is_not_null())
        .filter(dsl::attempts.le(i64::from(attempts)))
        .filter(events::account_id.eq_any(accounts.map(Some)))
        .group_by(events::account_id)
        .select((events::account_id, min(dsl::due_at)));
    let found: Vec<(Option<String>, Option<i64>)> = query.load(db)?;
    let found = found.into_iter().filter_map(|(account, due)| account.zip(due));
    let found = found
        .map(|(account, due)| Ok((parse("webhook delivery", &account)?, time("webhook delivery", due)?)));
    Ok(found.collect::<StoreResult<_>>()?)
}

pub(super) fn of_entries(db: &mut Db, endpoint: WebhookId, first: i64, last: i64) -> Answer<Vec<Delivery>> {
    let query = webhook_deliveries::table
        .filter(dsl::endpoint_id.eq(endpoint.to_string()))
        .filter(dsl::sequence.between(first, last))
        .select(DeliveryRow::as_select())
        .order(dsl::sequence);
    read(query.load(db)?)
}

pub(super) fn insert(db: &mut Db, deliveries: &[Delivery]) -> Answer<()> {
    let rows = deliveries.iter().map(DeliveryRow::new).collect::<StoreResult<Vec<_>>>()?;
    match db {
        _ if rows.is_empty() => {}
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(webhook_deliveries::table).values(row).execute(sqlite)?;
            }
        }
        Db::Postgres(postgres) => {
            bulk::insert(&rows).execute(postgres)?;
        }
    }
    Ok(())
}

pub(super) fn update(db: &mut Db, deliveries: &[Delivery]) -> Answer<()> {
    let rows = deliveries.iter().map(DeliveryRow::new).collect::<StoreResult<Vec<_>>>()?;
    match db {
        _ if rows.is_empty() => {}
        Db::Sqlite(sqlite) => {
            for row in rows {
                let now = (
                    dsl::status.eq(&row.status),
                    dsl::due_at.eq(row.due_at),
                    dsl::attempts.eq(row.attempts),
                    dsl::last_attempt.eq(&row.last_attempt),
                );
                diesel::update(webhook_deliveries::table.find(&row.id)).set(now).execute(sqlite)?;
            }
        }
        Db::Postgres(postgres) => {
            bulk::update(&rows).execute(postgres)?;
        }
    }
    Ok(())
}

pub(super) fn find(db: &mut Db, id: DeliveryId) -> Answer<Option<Delivery>> {
    let query = webhook_deliveries::table.find(id.to_string()).select(DeliveryRow::as_select());
    Ok(query.get_result(db).optional()?.map(DeliveryRow::delivery).transpose()?)
}

pub(super) fn again(db: &mut Db, id: DeliveryId, now: DateTime<Utc>) -> Answer<()> {
    let delivery = || webhook_deliveries::table.find(id.to_string());
    let endpoint: Option<String> = delivery().select(dsl::endpoint_id).get_result(db).optional()?;
    let endpoint = endpoint.ok_or(StoreError::Stale)?;
    let endpoint = parse("webhook delivery", &endpoint)?;
    // The endpoint first, as whoever settles does: two who took the rows in different orders would wait for each other.
    work::due_at(db, endpoint, micros(now))?;
    let pending = (
        dsl::status.eq(DeliveryStatus::Pending.as_str()),
        dsl::due_at.eq(Some(micros(now))),
        dsl::attempts.eq(0),
    );
    diesel::update(delivery()).set(pending).execute(db)?;
    Ok(())
}

pub(super) fn remove_settled(db: &mut Db, before: DeliveryId, most: usize) -> Answer<usize> {
    let settled = webhook_deliveries::table
        .filter(dsl::id.lt(before.to_string()))
        .filter(dsl::due_at.is_null())
        .select(dsl::id)
        .order(dsl::id)
        .limit(limit(most));
    let ids: Vec<String> = match db {
        Db::Sqlite(sqlite) => settled.load(sqlite)?,
        // Whoever removes an endpoint or makes a delivery anew is neither waited for nor made to wait for long.
        Db::Postgres(postgres) => settled.for_update().skip_locked().load(postgres)?,
    };
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(webhook_deliveries::table.filter(dsl::id.eq_any(ids))).execute(db)?)
}

pub(super) fn page(
    db: &mut Db,
    filter: &DeliveryFilter,
    after: Option<DeliveryId>,
    most: usize,
) -> Answer<Vec<Delivery>> {
    let mut query = webhook_deliveries::table
        .filter(dsl::endpoint_id.eq(filter.endpoint.to_string()))
        .select(DeliveryRow::as_select())
        .order(dsl::id.desc())
        .limit(limit(most))
        .into_boxed::<MultiBackend>();
    if let Some(status) = filter.status {
        query = query.filter(dsl::status.eq(status.as_str()));
    }
    if let Some(after) = after {
        query = query.filter(dsl::id.lt(after.to_string()));
    }
    read(query.load(db)?)
}
