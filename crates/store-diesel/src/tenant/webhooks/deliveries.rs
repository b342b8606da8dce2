use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::{DeliveryId, WebhookId};
use tenantry_domain::webhook::DeliveryStatus;
use tenantry_ports::{Delivery, DeliveryFilter, StoreError, StoreResult};

use super::rows::DeliveryRow;
use super::work;
use crate::convert::{limit, micros, parse, to_json};
use crate::db::{Db, MultiBackend};
use crate::error::Answer;
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
            diesel::insert_into(webhook_deliveries::table).values(rows).execute(postgres)?;
        }
    }
    Ok(())
}

pub(super) fn update(db: &mut Db, deliveries: &[Delivery]) -> Answer<()> {
    for delivery in deliveries {
        let last = delivery.last.as_ref().map(to_json).transpose()?;
        let now = (
            dsl::status.eq(delivery.status.as_str()),
            dsl::due_at.eq(delivery.due.map(micros)),
            dsl::attempts.eq(i64::from(delivery.attempts)),
            dsl::last_attempt.eq(last),
        );
        diesel::update(webhook_deliveries::table.find(delivery.id.to_string())).set(now).execute(db)?;
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
    let pending = (
        dsl::status.eq(DeliveryStatus::Pending.as_str()),
        dsl::due_at.eq(Some(micros(now))),
        dsl::attempts.eq(0),
    );
    diesel::update(delivery()).set(pending).execute(db)?;
    work::note_retry(db, parse("webhook delivery", &endpoint)?)
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
