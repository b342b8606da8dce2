use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tenantry_domain::id::{AccountId, DeliveryId, TenantId, WebhookId};
use tenantry_domain::webhook::DeliveryStatus;
use tenantry_ports::{
    ClaimedEndpoint, Delivery, DeliveryFilter, DeliveryMarkRepository, Outlook, SettledSlice, StoreError,
    StoreResult, WebhookEndpoint, WebhookRepository,
};
use uuid::Uuid;

use super::control::ControlState;
use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// The endpoints and deliveries of a tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct Webhooks {
    endpoints: Table<WebhookId, Standing>,
    deliveries: Table<DeliveryId, Delivery>,
}

#[derive(Debug, Clone)]
struct Standing {
    endpoint: WebhookEndpoint,
    position: i64,
    recover_until: i64,
    rests_until: Option<DateTime<Utc>>,
    lease: Option<(Uuid, DateTime<Utc>)>,
}

impl Standing {
    fn go_to(&mut self, cursor: i64) {
        self.recover_until = self.position.max(self.recover_until);
        (self.position, self.lease) = (cursor, None);
    }
}

impl Webhooks {
    fn find(&mut self, id: WebhookId) -> StoreResult<&mut Standing> {
        self.endpoints.get_mut(&id).ok_or(StoreError::Stale)
    }

    fn pending(&self, id: WebhookId) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().filter(move |delivery| delivery.endpoint == id && delivery.due.is_some())
    }

    fn claimed(&self, id: WebhookId, lease: Uuid) -> Option<ClaimedEndpoint> {
        let standing = self.endpoints.get(&id)?;
        standing.lease.filter(|(mine, _)| *mine == lease)?;
        Some(ClaimedEndpoint {
            endpoint: standing.endpoint.clone(),
            lease,
            cursor: standing.position,
            recovering: standing.position < standing.recover_until,
            retry_at: self.pending(id).filter_map(|delivery| delivery.due).min(),
        })
    }

    /// When there is something to deliver to an enabled endpoint.
    fn due(&self, standing: &Standing, head: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let retry = || self.pending(standing.endpoint.id).filter_map(|delivery| delivery.due).min();
        let work = if standing.position < head { Some(now) } else { retry() };
        let lease = standing.lease.map(|(_, until)| until);
        work.filter(|_| standing.endpoint.disabled.is_none())
            .map(|due| due.max(standing.rests_until.unwrap_or(due)).max(lease.unwrap_or(due)))
    }
}

impl TenantState {
    fn last_entry(&self) -> i64 {
        self.log.written().sequence
    }
}

impl WebhookRepository for Transaction<TenantState> {
    fn insert(&mut self, endpoint: &WebhookEndpoint, cursor: i64) -> StoreResult<()> {
        self.change(|state| {
            let standing = Standing {
                endpoint: endpoint.clone(),
                position: cursor,
                recover_until: 0,
                rests_until: None,
                lease: None,
            };
            match state.webhooks.endpoints.insert(endpoint.id, standing) {
                None => Ok(()),
                Some(_) => Err(StoreError::Failed("there is an endpoint with this id".into())),
            }
        })
    }

    fn get(&mut self, id: WebhookId) -> StoreResult<Option<WebhookEndpoint>> {
        self.look(|state| Ok(state.webhooks.endpoints.get(&id).map(|standing| standing.endpoint.clone())))
    }

    fn page(&mut self, after: Option<WebhookId>, limit: usize) -> StoreResult<Vec<WebhookEndpoint>> {
        self.look(|state| {
            let endpoints = state.webhooks.endpoints.values().map(|standing| &standing.endpoint);
            Ok(endpoints.filter(|endpoint| Some(endpoint.id) > after).take(limit).cloned().collect())
        })
    }

    fn count(&mut self) -> StoreResult<u64> {
        self.look(|state| Ok(state.webhooks.endpoints.len() as u64))
    }

    fn update(&mut self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        self.change(|state| {
            let standing = state.webhooks.find(endpoint.id)?;
            if standing.endpoint.version != endpoint.version - 1 {
                return Err(StoreError::Stale);
            }
            standing.endpoint = endpoint.clone();
            Ok(())
        })
    }

    fn move_to(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()> {
        self.change(|state| {
            state.webhooks.find(id)?.go_to(cursor);
            Ok(())
        })
    }

    fn go_back(&mut self, id: WebhookId, cursor: i64) -> StoreResult<()> {
        self.change(|state| {
            let standing = state.webhooks.find(id)?;
            if cursor < standing.position {
                standing.go_to(cursor);
            }
            Ok(())
        })
    }

    fn remove(&mut self, id: WebhookId) -> StoreResult<()> {
        self.change(|state| {
            state.webhooks.deliveries.retain(|_, delivery| delivery.endpoint != id);
            state.webhooks.endpoints.remove(&id).map(drop).ok_or(StoreError::Stale)
        })
    }

    fn outlook(&mut self, now: DateTime<Utc>) -> StoreResult<Outlook> {
        self.look(|state| {
            let (webhooks, head) = (&state.webhooks, state.last_entry());
            let enabled = || {
                let all = webhooks.endpoints.values();
                all.filter(|standing| standing.endpoint.disabled.is_none())
            };
            Ok(Outlook {
                has_endpoints: enabled().next().is_some(),
                due: enabled().filter_map(|standing| webhooks.due(standing, head, now)).min(),
            })
        })
    }

    fn claim(
        &mut self,
        lease: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<ClaimedEndpoint>> {
        self.change(|state| {
            let head = state.last_entry();
            let webhooks = &mut state.webhooks;
            let is_due =
                |standing: &&Standing| webhooks.due(standing, head, now).is_some_and(|due| due <= now);
            let due: Vec<_> =
                webhooks.endpoints.values().filter(is_due).map(|standing| standing.endpoint.id).collect();
            let claim = |id| {
                webhooks.find(id)?.lease = Some((lease, until));
                webhooks.claimed(id, lease).ok_or(StoreError::Stale)
            };
            due.into_iter().map(claim).collect()
        })
    }

    fn claimed(&mut self, id: WebhookId, lease: Uuid) -> StoreResult<Option<ClaimedEndpoint>> {
        self.look(|state| Ok(state.webhooks.claimed(id, lease)))
    }

    fn pending_about(
        &mut self,
        endpoint: WebhookId,
        accounts: &[AccountId],
        attempts: u32,
    ) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>> {
        self.look(|state| {
            let mut first = BTreeMap::<AccountId, DateTime<Utc>>::new();
            for delivery in state.webhooks.pending(endpoint).filter(|delivery| delivery.attempts <= attempts)
            {
                let entry = state.log.entries.get(&delivery.sequence);
                let account = entry.and_then(|entry| entry.event.account_id);
                if let (Some(account), Some(due)) = (account.filter(|id| accounts.contains(id)), delivery.due)
                {
                    first.entry(account).and_modify(|first| *first = due.min(*first)).or_insert(due);
                }
            }
            Ok(first.into_iter().collect())
        })
    }

    fn due(&mut self, endpoint: WebhookId, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Delivery>> {
        self.look(|state| {
            let due = state.webhooks.pending(endpoint).filter(|delivery| delivery.due <= Some(now));
            let mut due: Vec<_> = due.cloned().collect();
            due.sort_by_key(|delivery| (delivery.due, delivery.sequence));
            due.truncate(limit);
            due.sort_by_key(|delivery| delivery.sequence);
            Ok(due)
        })
    }

    fn of_entries(&mut self, endpoint: WebhookId, first: i64, last: i64) -> StoreResult<Vec<Delivery>> {
        self.look(|state| {
            let is_meant = |delivery: &&Delivery| {
                delivery.endpoint == endpoint && (first..=last).contains(&delivery.sequence)
            };
            let mut found: Vec<_> = state.webhooks.deliveries.values().filter(is_meant).cloned().collect();
            found.sort_by_key(|delivery| delivery.sequence);
            Ok(found)
        })
    }

    fn settle(&mut self, slice: &SettledSlice) -> StoreResult<()> {
        self.change(|state| {
            let webhooks = &mut state.webhooks;
            let standing = webhooks.find(slice.endpoint)?;
            let is_mine = standing.lease.is_some_and(|(lease, _)| lease == slice.lease);
            if !is_mine || standing.endpoint.disabled.is_some() {
                return Err(StoreError::Stale);
            }
            standing.position = slice.cursor;
            standing.endpoint.failing_since = slice.failing_since;
            standing.rests_until = slice.rests_until;
            standing.lease = slice.keep_until.map(|until| (slice.lease, until));
            for delivery in &slice.new {
                let same = |other: &&Delivery| {
                    (other.endpoint, other.sequence) == (delivery.endpoint, delivery.sequence)
                };
                if webhooks.deliveries.values().any(|other| same(&other)) {
                    return Err(StoreError::Failed("there is a delivery of this event".into()));
                }
                webhooks.deliveries.insert(delivery.id, delivery.clone());
            }
            for delivery in &slice.changed {
                if let Some(before) = webhooks.deliveries.get_mut(&delivery.id) {
                    *before = delivery.clone();
                }
            }
            Ok(())
        })
    }

    fn unsettled(&mut self) -> StoreResult<Option<i64>> {
        self.look(|state| {
            let webhooks = &state.webhooks;
            let enabled = webhooks.endpoints.values().filter(|standing| standing.endpoint.disabled.is_none());
            let first = |standing: &Standing| {
                let pending = webhooks.pending(standing.endpoint.id).map(|delivery| delivery.sequence);
                pending.chain([standing.position + 1]).min()
            };
            Ok(enabled.filter_map(first).min())
        })
    }

    fn delivery(&mut self, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        self.look(|state| Ok(state.webhooks.deliveries.get(&id).cloned()))
    }

    fn redeliver(&mut self, id: DeliveryId, now: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let delivery = state.webhooks.deliveries.get_mut(&id).ok_or(StoreError::Stale)?;
            (delivery.status, delivery.due, delivery.attempts) = (DeliveryStatus::Pending, Some(now), 0);
            Ok(())
        })
    }

    fn remove_settled(&mut self, before: DeliveryId, limit: usize) -> StoreResult<usize> {
        self.change(|state| {
            let deliveries = &mut state.webhooks.deliveries;
            let settled = deliveries.range(..before).filter(|(_, delivery)| delivery.due.is_none());
            let ids: Vec<_> = settled.map(|(id, _)| *id).take(limit).collect();
            Ok(ids.iter().filter_map(|id| deliveries.remove(id)).count())
        })
    }

    fn deliveries(
        &mut self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> StoreResult<Vec<Delivery>> {
        self.look(|state| {
            let is_meant = |delivery: &&Delivery| {
                delivery.endpoint == filter.endpoint
                    && filter.status.is_none_or(|status| delivery.status == status)
                    && after.is_none_or(|after| delivery.id < after)
            };
            let newest = state.webhooks.deliveries.values().rev();
            Ok(newest.filter(is_meant).take(limit).cloned().collect())
        })
    }
}

impl DeliveryMarkRepository for Transaction<ControlState> {
    fn mark(&mut self, tenant: TenantId, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let (look_at, before) = state.delivery_marks.get(&tenant).copied().unwrap_or((now, until));
            state.delivery_marks.insert(tenant, (look_at.min(now), before.max(until)));
            Ok(())
        })
    }

    fn due(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<TenantId>> {
        self.look(|state| {
            let due = state.delivery_marks.iter().filter(|(_, (look_at, _))| *look_at <= now);
            let mut due: Vec<_> = due.map(|(tenant, (look_at, _))| (*look_at, *tenant)).collect();
            due.sort_unstable();
            Ok(due.into_iter().take(limit).map(|(_, tenant)| tenant).collect())
        })
    }

    fn take(
        &mut self,
        tenants: &[TenantId],
        now: DateTime<Utc>,
        again: DateTime<Utc>,
    ) -> StoreResult<Vec<(TenantId, DateTime<Utc>)>> {
        self.change(|state| {
            let mut taken = Vec::new();
            for tenant in tenants {
                if let Some((look_at, until)) =
                    state.delivery_marks.get_mut(tenant).filter(|mark| mark.0 <= now)
                {
                    *look_at = again;
                    taken.push((*tenant, *until));
                }
            }
            Ok(taken)
        })
    }

    fn unmark(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> StoreResult<()> {
        self.change(|state| {
            let Some((_, until)) =
                state.delivery_marks.get(&tenant).copied().filter(|(_, until)| *until <= now)
            else {
                return Ok(());
            };
            match next {
                Some(next) => state.delivery_marks.insert(tenant, (next, until)),
                None => state.delivery_marks.remove(&tenant),
            };
            Ok(())
        })
    }
}
