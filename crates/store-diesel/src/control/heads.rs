use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_ports::{HeadRepository, LogHead, SignedHead, StoreError, StoreResult};

use crate::convert::{limit, micros, sha256, time};
use crate::db::Db;
use crate::schema::log_heads;
use crate::transaction::Transaction;

/// What stands in the place of a tenant's id for the platform's own log.
const PLATFORM: &str = "platform";

fn name(tenant: Option<TenantId>) -> String {
    tenant.map_or_else(|| PLATFORM.to_owned(), |id| id.to_string())
}

/// A row of `log_heads`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = log_heads)]
struct HeadRow {
    tenant_id: String,
    sequence: i64,
    hash: Vec<u8>,
    signed_at: i64,
    mac: Vec<u8>,
}

impl HeadRow {
    fn new(signed: &SignedHead) -> Self {
        Self {
            tenant_id: name(signed.tenant),
            sequence: signed.head.sequence,
            hash: signed.head.hash.to_vec(),
            signed_at: micros(signed.at),
            mac: signed.mac.to_vec(),
        }
    }

    fn head(self) -> StoreResult<SignedHead> {
        let tenant = match self.tenant_id.as_str() {
            PLATFORM => None,
            id => Some(id.parse().map_err(|error| StoreError::corrupt("signed head", error))?),
        };
        Ok(SignedHead {
            tenant,
            head: LogHead { sequence: self.sequence, hash: sha256("signed head", &self.hash)? },
            at: time("signed head", self.signed_at)?,
            mac: sha256("signed head", &self.mac)?,
        })
    }
}

impl HeadRepository for Transaction<'_> {
    fn add(&mut self, heads: &[SignedHead], most: usize) -> StoreResult<Vec<SignedHead>> {
        self.write(|db| {
            let mut kept = Vec::new();
            for signed in heads {
                let row = HeadRow::new(signed);
                let insert = diesel::insert_into(log_heads::table).values(row).on_conflict_do_nothing();
                let added = match db {
                    Db::Sqlite(sqlite) => insert.execute(sqlite)?,
                    Db::Postgres(postgres) => insert.execute(postgres)?,
                };
                if added == 0 {
                    continue;
                }
                kept.push(*signed);
                let own = || log_heads::table.filter(log_heads::tenant_id.eq(name(signed.tenant)));
                let oldest: Option<i64> = own()
                    .order(log_heads::sequence.desc())
                    .select(log_heads::sequence)
                    .offset(limit(most))
                    .first(db)
                    .optional()?;
                if let Some(oldest) = oldest {
                    diesel::delete(own().filter(log_heads::sequence.le(oldest))).execute(db)?;
                }
            }
            Ok(kept)
        })
    }

    fn of(&mut self, tenant: Option<TenantId>) -> StoreResult<Vec<SignedHead>> {
        self.read(|db| {
            let own = log_heads::table.filter(log_heads::tenant_id.eq(name(tenant)));
            let rows = own.order(log_heads::sequence).select(HeadRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(HeadRow::head).collect::<StoreResult<_>>()?)
        })
    }
}
