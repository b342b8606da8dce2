//! Webhook endpoints and what is delivered to them.

mod bulk;
mod deliveries;
mod rows;
mod work;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::{AccountId, DeliveryId, WebhookId};
use tenantry_ports::{
    ClaimedEndpoint, Delivery, DeliveryFilter, Outlook, SettledSlice, StoreError, StoreResult,
    WebhookEndpoint, WebhookRepository,
};
use uuid::Uuid;

use self::rows::{EndpointRow, Progress};
use crate::convert::{limit, number};
use crate::db::MultiBackend;
use crate::schema::webhook_endpoints;
use crate::transaction::Transaction;

impl WebhookRepository for Transaction<'_> {
    fn insert(&mut self, endpoint: &WebhookEndpoint, cursor: i64) -> StoreResult<()> {
        self.write(|db| {
            let row = EndpointRow::new(endpoint)?;
            let progress = (webhook_endpoints::position.eq(cursor), webhook_endpoints::lease_until.eq(0));
            let progress = (progress, Progress::of(endpoint));
            diesel::insert_into(webhook_endpoints::table).values((row, progress)).execute(db)?;
            Ok(())
        })
    }

    fn get(&mut self, id: WebhookId) -> StoreResult<Option<WebhookEndpoint>> {
        self.read(|db| {
            let query = webhook_endpoints::table.find(id.to_string());
            let found = query.select(rows::whole()).get_result(db).optional()?;
            Ok(found.map(rows::endpoint).transpose()?)
        })
    }

    fn page(&mut self, after: Option<WebhookId>, most: usize) -> StoreResult<Vec<WebhookEndpoint>> {
        self.read(|db| {
            let mut query = webhook_endpoints::table
                .select(rows::whole())
                .order(webhook_endpoints::id)
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(after) = after {
                query = query.filter(webhook_endpoints::id.gt(after.to_string()));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(rows::endpoint).collect::<StoreResult<_>>()?)
        })
    }

    fn count(&mut self) -> StoreResult<u64> {
        self.read(|db| Ok(number("webhook endpoints", webhook_endpoints::table.count().get_result(db)?)?))
    }

    fn update(&mut self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        self.write(|db| {
            let row = EndpointRow::new(endpoint)?;
            let before = webhook_endpoints::table
                .filter(webhook_endpoints::id.eq(endpoint.id.to_string()))
                .filter(webhook_endpoints::version.eq(endpoint.version - 1));
            match diesel::update(before).set((row, Progress::of(endpoint))).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn move_to(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()> {
        self.write(|db| work::move_to(db, id, cursor))
    }

    fn go_back(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()> {
        self.write(|db| work::go_back(db, id, cursor))
    }

    fn remove(&mut self, id: WebhookId) -> StoreResult<()> {
        self.write(|db| match diesel::delete(webhook_endpoints::table.find(id.to_string())).execute(db)? {
            0 => Err(StoreError::Stale.into()),
            _ => Ok(()),
        })
    }

    fn outlook(&mut self, now: DateTime<Utc>) -> StoreResult<Outlook> {
        self.read(|db| work::outlook(db, now))
    }

    fn claim(
        &mut self,
        lease: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<ClaimedEndpoint>> {
        self.write(|db| work::claim(db, lease, now, until))
    }

    fn claimed(&mut self, id: WebhookId, lease: Uuid) -> StoreResult<Option<ClaimedEndpoint>> {
        self.read(|db| work::claimed(db, id, lease))
    }

    fn pending_about(
        &mut self,
        endpoint: WebhookId,
        accounts: &[AccountId],
        attempts: u32,
    ) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>> {
        self.read(|db| deliveries::pending_about(db, endpoint, accounts, attempts))
    }

    fn due(&mut self, endpoint: WebhookId, now: DateTime<Utc>, most: usize) -> StoreResult<Vec<Delivery>> {
        self.read(|db| deliveries::due(db, endpoint, now, most))
    }

    fn of_entries(&mut self, endpoint: WebhookId, first: i64, last: i64) -> StoreResult<Vec<Delivery>> {
        self.read(|db| deliveries::of_entries(db, endpoint, first, last))
    }

    fn settle(&mut self, slice: &SettledSlice) -> StoreResult<()> {
        self.write(|db| work::settle(db, slice))
    }

    fn unsettled(&mut self) -> StoreResult<Option<i64>> {
        self.read(work::unsettled)
    }

    fn delivery(&mut self, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        self.read(|db| deliveries::find(db, id))
    }

    fn redeliver(&mut self, id: DeliveryId, now: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| deliveries::again(db, id, now))
    }

    fn remove_settled(&mut self, before: DeliveryId, most: usize) -> StoreResult<usize> {
        self.write(|db| deliveries::remove_settled(db, before, most))
    }

    fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        most: usize,
    ) -> StoreResult<Vec<Delivery>> {
        self.read(|db| deliveries::page(db, filter, after, most))
    }
}
