use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_ports::{DeliveryMarkRepository, StoreResult};

use crate::convert::{limit, micros, parse, time};
use crate::db::Db;
use crate::schema::delivery_marks::{self, dsl};
use crate::transaction::Transaction;

impl DeliveryMarkRepository for Transaction<'_> {
    fn mark(&mut self, tenant: TenantId, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<()> {
        let (tenant, now, until) = (tenant.to_string(), micros(now), micros(until));
        self.write(|db| {
            // Two processes' clocks may differ: neither shortens the other's mark.
            let sql = match db {
                Db::Sqlite(_) => {
                    "INSERT INTO delivery_marks (tenant_id, look_at, until) VALUES (?, ?, ?) \
                     ON CONFLICT (tenant_id) DO UPDATE SET \
                     look_at = min(look_at, excluded.look_at), until = max(until, excluded.until)"
                }
                Db::Postgres(_) => {
                    "INSERT INTO delivery_marks (tenant_id, look_at, until) VALUES ($1, $2, $3) \
                     ON CONFLICT (tenant_id) DO UPDATE SET \
                     look_at = least(delivery_marks.look_at, excluded.look_at), \
                     until = greatest(delivery_marks.until, excluded.until)"
                }
            };
            use diesel::sql_types::{BigInt, Text};
            match db {
                Db::Sqlite(sqlite) => diesel::sql_query(sql)
                    .bind::<Text, _>(&tenant)
                    .bind::<BigInt, _>(now)
                    .bind::<BigInt, _>(until)
                    .execute(sqlite)?,
                Db::Postgres(postgres) => diesel::sql_query(sql)
                    .bind::<Text, _>(&tenant)
                    .bind::<BigInt, _>(now)
                    .bind::<BigInt, _>(until)
                    .execute(postgres)?,
            };
            Ok(())
        })
    }

    fn due(&mut self, now: DateTime<Utc>, most: usize) -> StoreResult<Vec<TenantId>> {
        self.read(|db| {
            let query = delivery_marks::table
                .filter(dsl::look_at.le(micros(now)))
                .select(dsl::tenant_id)
                .order(dsl::look_at)
                .limit(limit(most));
            let found: Vec<String> = query.load(db)?;
            let found = found.iter().map(|id| parse("delivery mark", id));
            Ok(found.collect::<StoreResult<_>>()?)
        })
    }

    fn take(
        &mut self,
        tenants: &[TenantId],
        now: DateTime<Utc>,
        again: DateTime<Utc>,
    ) -> StoreResult<Vec<(TenantId, DateTime<Utc>)>> {
        self.write(|db| {
            let wanted = delivery_marks::table
                .filter(dsl::tenant_id.eq_any(tenants.iter().map(ToString::to_string)))
                .filter(dsl::look_at.le(micros(now)))
                .select((dsl::tenant_id, dsl::until))
                .order(dsl::look_at);
            let taken: Vec<(String, i64)> = match db {
                Db::Sqlite(sqlite) => wanted.load(sqlite)?,
                Db::Postgres(postgres) => wanted.for_update().skip_locked().load(postgres)?,
            };
            if !taken.is_empty() {
                let taken = taken.iter().map(|(id, _)| id);
                let marks = delivery_marks::table.filter(dsl::tenant_id.eq_any(taken));
                diesel::update(marks).set(dsl::look_at.eq(micros(again))).execute(db)?;
            }
            let taken = taken
                .iter()
                .map(|(id, until)| Ok((parse("delivery mark", id)?, time("delivery mark", *until)?)));
            Ok(taken.collect::<StoreResult<_>>()?)
        })
    }

    fn unmark(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> StoreResult<()> {
        self.write(|db| {
            let run_out = delivery_marks::table
                .filter(dsl::tenant_id.eq(tenant.to_string()))
                .filter(dsl::until.le(micros(now)));
            match next {
                Some(next) => diesel::update(run_out).set(dsl::look_at.eq(micros(next))).execute(db)?,
                None => diesel::delete(run_out).execute(db)?,
            };
            Ok(())
        })
    }
}
