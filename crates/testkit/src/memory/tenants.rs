use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Lifecycle, Slug, Status, Tenant};
use tenantry_ports::{
    Constraint, StoreError, StoreResult, TenantFilter, TenantRepository, TenantScope, Unreadable,
};

use super::control::ControlState;
use super::snapshot::Transaction;

#[derive(Debug, Clone)]
pub(super) struct TenantRow {
    tenant: Tenant,
    /// Which schema its database has, as far as anybody noted.
    schema: Option<String>,
    /// False once it was spoilt.
    pub(super) readable: bool,
}

impl TenantRow {
    pub(super) fn read(&self) -> StoreResult<Tenant> {
        if self.readable {
            Ok(self.tenant.clone())
        } else {
            Err(StoreError::corrupt("tenant", "it was spoilt"))
        }
    }
}

impl TenantRepository for Transaction<ControlState> {
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.change(|state| {
            if state.tenants.contains_key(&tenant.id) {
                return Err(StoreError::Conflict(Constraint::TenantId));
            }
            state.check_slug(tenant)?;
            let row = TenantRow { tenant: tenant.clone(), schema: None, readable: true };
            state.tenants.insert(tenant.id, row);
            Ok(())
        })
    }

    fn get(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        self.look(|state| state.tenants.get(&id).map(TenantRow::read).transpose())
    }

    fn holding(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        self.look(|state| {
            let mut tenants = state.tenants.values();
            let holder = tenants.find(|row| row.tenant.slug == *slug && row.tenant.lifecycle.holds_slug());
            holder.map(TenantRow::read).transpose()
        })
    }

    fn update(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.change(|state| {
            state.check_slug(tenant)?;
            let row = state.tenants.get_mut(&tenant.id).ok_or(StoreError::Stale)?;
            if row.tenant.version != tenant.version - 1 {
                return Err(StoreError::Stale);
            }
            row.tenant = tenant.clone();
            Ok(())
        })
    }

    fn overdue(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Tenant>> {
        self.look(|state| {
            let overdue = |row: &&TenantRow| match row.tenant.lifecycle {
                Lifecycle::PendingValidation { expires_at, .. } => now > expires_at,
                _ => false,
            };
            let mut found: Vec<_> = state.tenants.values().filter(is_readable).filter(overdue).collect();
            found.sort_unstable_by_key(|row| (row.tenant.created_at, row.tenant.id));
            found.into_iter().take(limit).map(TenantRow::read).collect()
        })
    }

    fn outdated(
        &mut self,
        schema: &str,
        after: Option<TenantId>,
        limit: usize,
    ) -> StoreResult<Vec<(Tenant, Option<String>)>> {
        self.look(|state| {
            let rows = state.tenants.iter().filter(|(id, _)| Some(**id) > after).map(|(_, row)| row);
            rows.filter(is_readable)
                .filter(|row| TenantScope::maintenance(&row.tenant).is_ok())
                .filter(|row| row.schema.as_deref() != Some(schema))
                .take(limit)
                .map(|row| Ok((row.read()?, row.schema.clone())))
                .collect()
        })
    }

    fn anything_outdated(&mut self, schema: &str) -> StoreResult<bool> {
        let pooled = self.look(|state| Ok(state.pool.values().any(|row| row.is_outdated(schema))))?;
        Ok(pooled || !self.outdated(schema, None, 1)?.is_empty())
    }

    fn note_schema(&mut self, id: TenantId, schema: &str) -> StoreResult<()> {
        self.change(|state| {
            if let Some(row) = state.tenants.get_mut(&id) {
                row.schema = Some(schema.to_owned());
            }
            Ok(())
        })
    }

    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>> {
        self.look(|state| {
            let tenants = state.tenants.iter();
            let unreadable = tenants.filter_map(|(id, row)| {
                Some(Unreadable { id: id.to_string(), reason: row.read().err()?.to_string() })
            });
            Ok(unreadable.collect())
        })
    }

    fn census(&mut self) -> StoreResult<Vec<(Status, u64)>> {
        self.look(|state| {
            let count = |status| {
                let statuses = state.tenants.values().map(|row| row.tenant.lifecycle.status());
                (status, statuses.filter(|other| *other == status).count() as u64)
            };
            Ok(Status::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect())
        })
    }

    fn per_cluster(&mut self) -> StoreResult<Vec<(ClusterName, u64)>> {
        self.look(|state| {
            let mut counts = BTreeMap::new();
            let holders = state.tenants.values().filter(|row| row.tenant.lifecycle.holds_slug());
            for row in holders {
                *counts.entry(row.tenant.home.cluster.clone()).or_insert(0) += 1;
            }
            Ok(counts.into_iter().collect())
        })
    }

    fn page(
        &mut self,
        filter: &TenantFilter,
        after: Option<(DateTime<Utc>, TenantId)>,
        limit: usize,
    ) -> StoreResult<Vec<Tenant>> {
        self.look(|state| {
            let mut found: Vec<_> = state
                .tenants
                .values()
                .filter(is_readable)
                .filter(|row| after.is_none_or(|after| (row.tenant.created_at, row.tenant.id) < after))
                .filter(|row| passes(filter, &row.tenant))
                .collect();
            found.sort_unstable_by_key(|row| std::cmp::Reverse((row.tenant.created_at, row.tenant.id)));
            found.into_iter().take(limit).map(TenantRow::read).collect()
        })
    }
}

impl ControlState {
    /// A slug has one holder at a time.
    fn check_slug(&self, candidate: &Tenant) -> StoreResult<()> {
        let taken = candidate.lifecycle.holds_slug()
            && self.tenants.values().map(|row| &row.tenant).any(|tenant| {
                tenant.id != candidate.id && tenant.slug == candidate.slug && tenant.lifecycle.holds_slug()
            });
        if taken { Err(StoreError::Conflict(Constraint::TenantSlug)) } else { Ok(()) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as iterators filter")]
fn is_readable(row: &&TenantRow) -> bool {
    row.readable
}

fn passes(filter: &TenantFilter, tenant: &Tenant) -> bool {
    let contains = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    filter.status.is_none_or(|status| tenant.lifecycle.status() == status)
        && filter.plan.is_none_or(|plan| tenant.plan == plan)
        && filter
            .text
            .as_ref()
            .is_none_or(|part| contains(tenant.name.as_str(), part) || contains(tenant.slug.as_str(), part))
}
