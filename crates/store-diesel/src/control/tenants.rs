use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Slug, Tenant};
use tenantry_ports::{StoreError, StoreResult, TenantFilter, TenantRepository};

use super::tenant_row::TenantRow;
use crate::convert::{limit, micros};
use crate::schema::tenants;
use crate::transaction::Transaction;

impl TenantRepository for Transaction<'_> {
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(tenants::table).values(TenantRow::new(tenant)?).execute(db)?;
            Ok(())
        })
    }

    fn get(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        self.read(|db| {
            let query = tenants::table.find(id.to_string()).select(TenantRow::as_select());
            Ok(query.first(db).optional()?.map(TenantRow::tenant).transpose()?)
        })
    }

    fn holding(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        self.read(|db| {
            let query = tenants::table.filter(tenants::slug.eq(slug.as_str())).filter(tenants::slug_held);
            let found = query.select(TenantRow::as_select()).first(db).optional()?;
            Ok(found.map(TenantRow::tenant).transpose()?)
        })
    }

    fn update(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.write(|db| {
            let before =
                tenants::table.find(tenant.id.to_string()).filter(tenants::version.eq(tenant.version - 1));
            match diesel::update(before).set(TenantRow::new(tenant)?).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn page(
        &mut self,
        filter: &TenantFilter,
        after: Option<(DateTime<Utc>, TenantId)>,
        most: usize,
    ) -> StoreResult<Vec<Tenant>> {
        self.read(|db| {
            let mut query = tenants::table
                .select(TenantRow::as_select())
                .order((tenants::created_at.desc(), tenants::id.desc()))
                .limit(limit(most))
                .into_boxed();
            if let Some(status) = filter.status {
                query = query.filter(tenants::status.eq(status.as_str()));
            }
            if let Some(plan) = filter.plan {
                query = query.filter(tenants::plan.eq(plan.as_str()));
            }
            if let Some(text) = &filter.text {
                let pattern = containing(text);
                let in_name = tenants::name_folded.like(pattern.clone()).escape('\\');
                query = query.filter(in_name.or(tenants::slug.like(pattern).escape('\\')));
            }
            if let Some((created_at, id)) = after {
                let (created_at, id) = (micros(created_at), id.to_string());
                let same_moment = tenants::created_at.eq(created_at).and(tenants::id.lt(id));
                query = query.filter(tenants::created_at.lt(created_at).or(same_moment));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(TenantRow::tenant).collect::<StoreResult<_>>()?)
        })
    }
}

/// The `LIKE` pattern, escaped by `\`, of what contains `text` in lower case.
fn containing(text: &str) -> String {
    let folded = text.to_lowercase();
    let escaped = folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
