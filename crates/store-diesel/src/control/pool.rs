use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{
    PoolLease, PoolRepository, PoolState, PooledDatabase, StoreError, StoreResult, TakenDatabase, Unreadable,
};
use uuid::Uuid;

use super::pool_row::{ASIDE, FIRST, IN_WORK, PoolRow, READY, TAKEN};
use super::readable::{unless_corrupt, unreadable};
use crate::bulk::{Answers, Bind, Bulk, Sql};
use crate::convert::micros;
use crate::db::Db;
use crate::error::Answer;
use crate::schema::pooled_databases as pooled;
use crate::transaction::Transaction;

impl PoolRepository for Transaction<'_> {
    fn insert(&mut self, database: &PooledDatabase, until: DateTime<Utc>) -> StoreResult<PoolLease> {
        self.write(|db| {
            diesel::insert_into(pooled::table).values(PoolRow::new(database, until)).execute(db)?;
            Ok(PoolLease { id: database.id, fence: FIRST })
        })
    }

    fn all(&mut self) -> StoreResult<Vec<(PooledDatabase, PoolState)>> {
        self.read(|db| {
            let rows = pooled::table
                .select(PoolRow::as_select())
                .order((pooled::created_at, pooled::id))
                .load(db)?;
            let read = |row: &PoolRow| unless_corrupt(&row.id, row.read()).transpose();
            Ok(rows.iter().filter_map(read).collect::<StoreResult<_>>()?)
        })
    }

    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>> {
        self.read(|db| {
            let rows = pooled::table.select(PoolRow::as_select()).order(pooled::id).load(db)?;
            let read = |row: &PoolRow| unreadable(&row.id, row.read()).transpose();
            Ok(rows.iter().filter_map(read).collect::<StoreResult<_>>()?)
        })
    }

    fn take(
        &mut self,
        cluster: &ClusterName,
        schema: &str,
        tenant: TenantId,
    ) -> StoreResult<Option<TakenDatabase>> {
        self.write(|db| {
            let tenant = tenant.to_string();
            while let Some(row) = take(db, cluster.as_str(), schema, &tenant)? {
                match row.taken() {
                    Err(error @ StoreError::Corrupt { .. }) => set_aside(db, &row, &error)?,
                    taken => return Ok(Some(taken?)),
                }
            }
            Ok(None)
        })
    }

    fn taken_by(&mut self, tenant: TenantId) -> StoreResult<Option<TakenDatabase>> {
        self.read(|db| {
            let query = pooled::table.filter(pooled::tenant_id.eq(tenant.to_string()));
            let Some(row) = query.select(PoolRow::as_select()).first(db).optional()? else {
                return Ok(None);
            };
            Ok(unless_corrupt(&row.id, row.taken())?)
        })
    }

    fn forget_taken(&mut self, tenant: TenantId) -> StoreResult<()> {
        self.write(|db| {
            let taken = pooled::table.filter(pooled::tenant_id.eq(tenant.to_string()));
            diesel::delete(taken).execute(db)?;
            Ok(())
        })
    }

    fn claim_abandoned(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<(PooledDatabase, PoolLease)>> {
        self.write(|db| {
            while let Some(row) = abandoned(db, micros(now))? {
                let (database, fence) = match row.read() {
                    Err(error @ StoreError::Corrupt { .. }) => {
                        set_aside(db, &row, &error)?;
                        continue;
                    }
                    read => (read?.0, row.fence + 1),
                };
                let lease = (pooled::leased_until.eq(micros(until)), pooled::fence.eq(fence));
                diesel::update(pooled::table.find(&row.id)).set(lease).execute(db)?;
                let lease = PoolLease { id: database.id, fence };
                return Ok(Some((database, lease)));
            }
            Ok(None)
        })
    }

    fn claim_ready(&mut self, id: Uuid, until: DateTime<Utc>) -> StoreResult<Option<PoolLease>> {
        self.write(|db| {
            let ready = pooled::table.find(id.to_string()).filter(pooled::state.eq(READY));
            let lease = (
                pooled::state.eq(IN_WORK),
                pooled::schema_version.eq(None::<String>),
                pooled::leased_until.eq(micros(until)),
                pooled::fence.eq(pooled::fence + 1),
            );
            let claimed = diesel::update(ready).set(lease).returning(pooled::fence);
            let fence: Option<i64> = claimed.get_result(db).optional()?;
            Ok(fence.map(|fence| PoolLease { id, fence }))
        })
    }

    fn renew(&mut self, lease: PoolLease, until: DateTime<Utc>) -> StoreResult<()> {
        self.write(|db| {
            let renewed = pooled::leased_until.eq(micros(until));
            found(diesel::update(leased(lease)).set(renewed).execute(db)?)
        })
    }

    fn ready(&mut self, lease: PoolLease, schema: &str) -> StoreResult<()> {
        self.write(|db| {
            let ready = (
                pooled::state.eq(READY),
                pooled::schema_version.eq(schema),
                pooled::leased_until.eq(None::<i64>),
            );
            found(diesel::update(leased(lease)).set(ready).execute(db)?)
        })
    }

    fn delete(&mut self, lease: PoolLease) -> StoreResult<()> {
        self.write(|db| found(diesel::delete(leased(lease)).execute(db)?))
    }
}

/// The database this lease is on, as long as it is.
#[diesel::dsl::auto_type(no_type_alias)]
fn leased(lease: PoolLease) -> _ {
    let id: String = lease.id.to_string();
    let fence: i64 = lease.fence;
    let state: &'static str = IN_WORK;
    pooled::table.find(id).filter(pooled::fence.eq(fence)).filter(pooled::state.eq(state))
}

fn found(rows: usize) -> Answer<()> {
    match rows {
        0 => Err(StoreError::Stale.into()),
        _ => Ok(()),
    }
}

/// Keeps a row that cannot be read from being come upon again.
fn set_aside(db: &mut Db, row: &PoolRow, why: &StoreError) -> Answer<()> {
    tracing::error!("Pooled database {} is set aside, since nothing can be done with it: {why}", row.id);
    let nobodys = (pooled::state.eq(ASIDE), pooled::tenant_id.eq(None::<String>));
    diesel::update(pooled::table.find(&row.id)).set(nobodys).execute(db)?;
    Ok(())
}

/// The database longest left alone by whoever worked on it, and on PostgreSQL not being claimed by somebody else right now.
fn abandoned(db: &mut Db, now: i64) -> QueryResult<Option<PoolRow>> {
    let query = pooled::table
        .filter(pooled::state.eq(IN_WORK))
        .filter(pooled::leased_until.le(now))
        .order((pooled::leased_until, pooled::id));
    match db {
        Db::Sqlite(sqlite) => query.first(sqlite).optional(),
        Db::Postgres(postgres) => query.for_update().skip_locked().first(postgres).optional(),
    }
}

/// The database that the tenant has taken, or now takes: the oldest that is ready.
fn take(db: &mut Db, cluster: &str, schema: &str, tenant: &str) -> QueryResult<Option<PoolRow>> {
    match db {
        Db::Sqlite(sqlite) => {
            let taken = pooled::table.filter(pooled::tenant_id.eq(tenant)).select(PoolRow::as_select());
            if let Some(row) = taken.first(sqlite).optional()? {
                return Ok(Some(row));
            }
            let oldest = pooled::table
                .filter(pooled::state.eq(READY))
                .filter(pooled::cluster.eq(cluster))
                .filter(pooled::schema_version.eq(schema))
                .order((pooled::created_at, pooled::id))
                .select(pooled::id);
            let Some(id) = oldest.first::<String>(sqlite).optional()? else {
                return Ok(None);
            };
            let change = (pooled::state.eq(TAKEN), pooled::tenant_id.eq(tenant));
            let take = diesel::update(pooled::table.find(id)).set(change);
            take.returning(PoolRow::as_returning()).get_result(sqlite).optional()
        }
        Db::Postgres(postgres) => {
            let statement = Bulk::<Take>::new([
                Bind::Text(tenant),
                Bind::Text(cluster),
                Bind::Text(schema),
                Bind::Text(tenant),
            ]);
            statement.get_result(postgres).optional()
        }
    }
}

struct Take;

impl Sql for Take {
    const TEXT: &'static str = "\
        WITH mine AS ( \
            SELECT id, cluster, database_name, state, schema_version, tenant_id, leased_until, fence, created_at \
            FROM pooled_databases WHERE tenant_id = ? \
        ), oldest AS MATERIALIZED ( \
            SELECT id FROM pooled_databases \
            WHERE state = 'Ready' AND cluster = ? AND schema_version = ? AND NOT EXISTS (SELECT FROM mine) \
            ORDER BY created_at, id LIMIT 1 \
            FOR UPDATE SKIP LOCKED \
        ), taken AS ( \
            UPDATE pooled_databases AS pooled SET state = 'Taken', tenant_id = ? \
            FROM oldest WHERE pooled.id = oldest.id \
            RETURNING pooled.id, cluster, database_name, state, schema_version, tenant_id, leased_until, \
                fence, created_at \
        ) \
        SELECT * FROM mine UNION ALL SELECT * FROM taken";
}

impl Answers for Take {
    type Columns = (Text, Text, Text, Text, Nullable<Text>, Nullable<Text>, Nullable<BigInt>, BigInt, BigInt);
}
