use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{
    PoolLease, PoolRepository, PoolState, PooledDatabase, StoreError, StoreResult, TakenDatabase, Unreadable,
};
use uuid::Uuid;

use super::control::ControlState;
use super::snapshot::Transaction;

#[derive(Debug, Clone)]
pub(super) struct PoolRow {
    database: PooledDatabase,
    state: PoolState,
    /// Of the latest lease.
    fence: i64,
    /// False once it was spoilt.
    pub(super) readable: bool,
}

impl PoolRow {
    /// Oldest first.
    const fn age(&self) -> (DateTime<Utc>, Uuid) {
        (self.database.created_at, self.database.id)
    }

    /// Whether it is ready, with another schema than this.
    pub(super) fn is_outdated(&self, schema: &str) -> bool {
        matches!(&self.state, PoolState::Ready { schema: own } if own != schema)
    }

    fn lease(&mut self, until: DateTime<Utc>) -> PoolLease {
        self.fence += 1;
        self.state = PoolState::InWork { until };
        PoolLease { id: self.database.id, fence: self.fence }
    }

    fn taken_by(&self, tenant: TenantId) -> Option<TakenDatabase> {
        match &self.state {
            PoolState::Taken { tenant: taker, schema } if *taker == tenant && self.readable => {
                Some(TakenDatabase { database: self.database.clone(), schema: schema.clone() })
            }
            _ => None,
        }
    }
}

impl PoolRepository for Transaction<ControlState> {
    fn insert(&mut self, database: &PooledDatabase, until: DateTime<Utc>) -> StoreResult<PoolLease> {
        self.change(|state| {
            if state.pool.contains_key(&database.id) {
                return Err(StoreError::Failed("a pooled database of this id is there already".into()));
            }
            let state_of_new = PoolState::InWork { until };
            let mut row =
                PoolRow { database: database.clone(), state: state_of_new, fence: 0, readable: true };
            let lease = row.lease(until);
            state.pool.insert(database.id, row);
            Ok(lease)
        })
    }

    fn all(&mut self) -> StoreResult<Vec<(PooledDatabase, PoolState)>> {
        self.look(|state| {
            let mut rows: Vec<_> = state.pool.values().filter(|row| row.readable).collect();
            rows.sort_unstable_by_key(|row| row.age());
            Ok(rows.into_iter().map(|row| (row.database.clone(), row.state.clone())).collect())
        })
    }

    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>> {
        self.look(|state| {
            let reason = || StoreError::corrupt("pooled database", "it was spoilt").to_string();
            let spoilt = state.pool.iter().filter(|(_, row)| !row.readable);
            Ok(spoilt.map(|(id, _)| Unreadable { id: id.to_string(), reason: reason() }).collect())
        })
    }

    fn take(
        &mut self,
        cluster: &ClusterName,
        schema: &str,
        tenant: TenantId,
    ) -> StoreResult<Option<TakenDatabase>> {
        self.change(|state| {
            if !state.tenants.contains_key(&tenant) {
                return Err(StoreError::Failed("who takes a pooled database has to be there".into()));
            }
            if let Some(taken) = state.pool.values().find_map(|row| row.taken_by(tenant)) {
                return Ok(Some(taken));
            }
            let ready = PoolState::Ready { schema: schema.to_owned() };
            let fits =
                |row: &&mut PoolRow| row.state == ready && row.database.cluster == *cluster && row.readable;
            let oldest = state.pool.values_mut().filter(fits).min_by_key(|row| row.age());
            Ok(oldest.and_then(|row| {
                row.state = PoolState::Taken { tenant, schema: schema.to_owned() };
                row.taken_by(tenant)
            }))
        })
    }

    fn taken_by(&mut self, tenant: TenantId) -> StoreResult<Option<TakenDatabase>> {
        self.look(|state| Ok(state.pool.values().find_map(|row| row.taken_by(tenant))))
    }

    fn forget_taken(&mut self, tenant: TenantId) -> StoreResult<()> {
        self.change(|state| {
            state.pool.retain(|_, row| row.taken_by(tenant).is_none());
            Ok(())
        })
    }

    fn claim_abandoned(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<(PooledDatabase, PoolLease)>> {
        self.change(|state| {
            let left_alone = |row: &PoolRow| match row.state {
                PoolState::InWork { until } if until <= now && row.readable => Some((until, row.database.id)),
                _ => None,
            };
            let longest = state.pool.values().filter_map(left_alone).min();
            let row = longest.and_then(|(_, id)| state.pool.get_mut(&id));
            Ok(row.map(|row| (row.database.clone(), row.lease(until))))
        })
    }

    fn claim_ready(&mut self, id: Uuid, until: DateTime<Utc>) -> StoreResult<Option<PoolLease>> {
        self.change(|state| {
            let ready = |row: &&mut PoolRow| matches!(row.state, PoolState::Ready { .. });
            Ok(state.pool.get_mut(&id).filter(ready).map(|row| row.lease(until)))
        })
    }

    fn renew(&mut self, lease: PoolLease, until: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            state.leased(lease)?.state = PoolState::InWork { until };
            Ok(())
        })
    }

    fn ready(&mut self, lease: PoolLease, schema: &str) -> StoreResult<()> {
        self.change(|state| {
            state.leased(lease)?.state = PoolState::Ready { schema: schema.to_owned() };
            Ok(())
        })
    }

    fn delete(&mut self, lease: PoolLease) -> StoreResult<()> {
        self.change(|state| {
            state.leased(lease)?;
            state.pool.remove(&lease.id);
            Ok(())
        })
    }
}

impl ControlState {
    /// The database, if the lease is the latest one and was not given back.
    fn leased(&mut self, lease: PoolLease) -> StoreResult<&mut PoolRow> {
        let row = self.pool.get_mut(&lease.id).ok_or(StoreError::Stale)?;
        match row.state {
            PoolState::InWork { .. } if row.fence == lease.fence => Ok(row),
            _ => Err(StoreError::Stale),
        }
    }
}
