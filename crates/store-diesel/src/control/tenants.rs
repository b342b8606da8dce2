use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Slug, Status, Tenant};
use tenantry_ports::{StoreError, StoreResult, TenantFilter, TenantRepository, Unreadable};

use super::pool_row::READY;
use super::readable::{readable, unless_corrupt, unreadable};
use super::tenant_row::TenantRow;
use crate::convert::{containing, limit, micros, named, parse};
use crate::db::{Db, MultiBackend};
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
            Ok(query.first(db).optional()?.map(|row| row.tenant()).transpose()?)
        })
    }

    fn holding(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        self.read(|db| {
            let query = tenants::table.filter(tenants::slug.eq(slug.as_str())).filter(tenants::slug_held);
            let found = query.select(TenantRow::as_select()).first(db).optional()?;
            Ok(found.map(|row| row.tenant()).transpose()?)
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

    fn overdue(&mut self, now: DateTime<Utc>, most: usize) -> StoreResult<Vec<Tenant>> {
        self.read(|db| {
            let load = |most, seen| {
                let query = tenants::table
                    .filter(tenants::expires_at.lt(micros(now)))
                    .order((tenants::expires_at, tenants::id))
                    .limit(limit(most))
                    .offset(limit(seen));
                query.select(TenantRow::as_select()).load(db)
            };
            readable(most, load, tenant)
        })
    }

    fn outdated(
        &mut self,
        schema: &str,
        after: Option<TenantId>,
        most: usize,
    ) -> StoreResult<Vec<(Tenant, Option<String>)>> {
        self.read(|db| {
            let load = |most, seen| {
                let query = tenants::table
                    .filter(is_outdated(schema, after, limit(most), limit(seen)))
                    .select((TenantRow::as_select(), tenants::schema_version))
                    .order(tenants::id);
                query.load(db)
            };
            readable(most, load, |(row, schema): (_, Option<String>)| {
                Ok(tenant(row)?.map(|tenant| (tenant, schema)))
            })
        })
    }

    fn anything_outdated(&mut self, schema: &str) -> StoreResult<bool> {
        self.read(|db| {
            let tenant = |which: &str| {
                format!("EXISTS (SELECT 1 FROM tenants WHERE {LOOKED_AFTER} AND schema_version {which}")
            };
            let (none, lesser, greater) = (tenant("IS NULL)"), tenant("< "), tenant("> "));
            let condition = sql::<Bool>(&format!("{none} OR {lesser}"))
                .bind::<Text, _>(schema)
                .sql(&format!(") OR {greater}"))
                .bind::<Text, _>(schema)
                .sql(&format!(") OR EXISTS (SELECT 1 FROM pooled_databases WHERE state = '{READY}' AND schema_version <> "))
                .bind::<Text, _>(schema)
                .sql(")");
            let question = diesel::select(condition);
            Ok(match db {
                Db::Sqlite(sqlite) => question.get_result(sqlite)?,
                Db::Postgres(postgres) => question.get_result(postgres)?,
            })
        })
    }

    fn note_schema(&mut self, id: TenantId, schema: &str) -> StoreResult<()> {
        self.write(|db| {
            let tenant = tenants::table.find(id.to_string());
            diesel::update(tenant).set(tenants::schema_version.eq(schema)).execute(db)?;
            Ok(())
        })
    }

    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>> {
        self.read(|db| {
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let query = tenants::table.filter(tenants::id.gt(&after)).order(tenants::id).limit(ROWS);
                let rows = query.select(TenantRow::as_select()).load(db)?;
                let Some(last) = rows.last() else { return Ok(found) };
                after.clone_from(&last.id);
                for row in rows {
                    found.extend(unreadable(&row.id, row.tenant())?);
                }
            }
        })
    }

    fn census(&mut self) -> StoreResult<Vec<(Status, u64)>> {
        self.read(|db| {
            let query = tenants::table.group_by(tenants::status).select((tenants::status, count_star()));
            let counted = |(status, count): (String, i64)| {
                let named = unless_corrupt(&status, named("tenant", &status, Status::parse));
                Ok(named?.map(|status| (status, count.unsigned_abs())))
            };
            Ok(query
                .load(db)?
                .into_iter()
                .filter_map(|row| counted(row).transpose())
                .collect::<StoreResult<_>>()?)
        })
    }

    fn per_cluster(&mut self) -> StoreResult<Vec<(ClusterName, u64)>> {
        self.read(|db| {
            let query = tenants::table
                .filter(tenants::slug_held)
                .group_by(tenants::cluster)
                .select((tenants::cluster, count_star()))
                .order(tenants::cluster);
            let counted = |(cluster, count): (String, i64)| {
                let named = unless_corrupt(&cluster, parse("tenant", &cluster));
                Ok(named?.map(|cluster| (cluster, count.unsigned_abs())))
            };
            Ok(query
                .load(db)?
                .into_iter()
                .filter_map(|row| counted(row).transpose())
                .collect::<StoreResult<_>>()?)
        })
    }

    fn page(
        &mut self,
        filter: &TenantFilter,
        after: Option<(DateTime<Utc>, TenantId)>,
        most: usize,
    ) -> StoreResult<Vec<Tenant>> {
        self.read(|db| {
            readable(
                most,
                |most, seen| {
                    let mut query = tenants::table
                        .select(TenantRow::as_select())
                        .order((tenants::created_at.desc(), tenants::id.desc()))
                        .limit(limit(most))
                        .offset(limit(seen))
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
                        // An index finds where to go on by the first condition; by the second, which is exact, none would.
                        query = query.filter(tenants::created_at.le(created_at));
                        query = query.filter(tenants::created_at.lt(created_at).or(tenants::id.lt(id)));
                    }
                    query.load(db)
                },
                tenant,
            )
        })
    }
}

/// How many rows are held at a time where all of them are read.
const ROWS: i64 = 500;

#[expect(clippy::needless_pass_by_value, reason = "as lists are read")]
fn tenant(row: TenantRow) -> StoreResult<Option<Tenant>> {
    unless_corrupt(&row.id, row.tenant())
}

/// Whose databases are looked after: word for word the condition of the index `tenants_outdated`, which is used for nothing
/// else.
const LOOKED_AFTER: &str = "CASE status \
    WHEN 'Active' THEN TRUE \
    WHEN 'Suspended' THEN TRUE \
    WHEN 'Deprovisioning' THEN NOT begun AND former IN ('Active', 'Suspended') \
    ELSE FALSE END";

type Condition = Box<dyn BoxableExpression<tenants::table, MultiBackend, SqlType = Bool>>;

/// Whether it is among the first so many but for `seen`, after that id, whose databases are looked after and do not have
/// this schema.
///
/// "Another one" is put as none, a lesser and a greater one, each of which is a place in the index; and each is looked for on
/// its own, since SQLite would rather go through all tenants in order of id.
fn is_outdated(schema: &str, after: Option<TenantId>, most: i64, seen: i64) -> Condition {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let some =
        |which: &str| format!("SELECT id FROM tenants WHERE {LOOKED_AFTER} AND schema_version {which}");
    let (none, lesser, greater) = (some("IS NULL"), some("< "), some("> "));
    let condition =
        sql::<Bool>(&format!("tenants.id IN (WITH outdated AS MATERIALIZED ({none} UNION ALL {lesser}"))
            .bind::<Text, _>(schema.to_owned())
            .sql(&format!(" UNION ALL {greater}"))
            .bind::<Text, _>(schema.to_owned())
            .sql(") SELECT id FROM outdated WHERE id > ")
            .bind::<Text, _>(after)
            .sql(" ORDER BY id LIMIT ")
            .bind::<BigInt, _>(most)
            .sql(" OFFSET ")
            .bind::<BigInt, _>(seen)
            .sql(")");
    Box::new(condition)
}
