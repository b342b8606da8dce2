use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use tenantry_ports::{Replica, ReplicaRepository, StoreResult};

use crate::convert::{from_json, micros, time, to_json};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::replicas;
use crate::transaction::Transaction;

/// A row of `replicas`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = replicas)]
struct ReplicaRow {
    id: String,
    seen_at: i64,
    rates: String,
}

impl ReplicaRow {
    fn replica(self) -> StoreResult<Replica> {
        Ok(Replica {
            id: self.id,
            seen_at: time("replica", self.seen_at)?,
            rates: from_json("replica", &self.rates)?,
        })
    }
}

impl ReplicaRepository for Transaction<'_> {
    fn announce(&mut self, replica: &Replica, since: DateTime<Utc>) -> StoreResult<Vec<Replica>> {
        self.write(|db| {
            let row = ReplicaRow {
                id: replica.id.clone(),
                seen_at: micros(replica.seen_at),
                rates: to_json(&replica.rates)?,
            };
            let upsert =
                diesel::insert_into(replicas::table).values(row).on_conflict(replicas::id).do_update().set((
                    replicas::seen_at.eq(excluded(replicas::seen_at)),
                    replicas::rates.eq(excluded(replicas::rates)),
                ));
            match db {
                Db::Sqlite(sqlite) => upsert.execute(sqlite)?,
                Db::Postgres(postgres) => upsert.execute(postgres)?,
            };
            diesel::delete(replicas::table.filter(replicas::seen_at.lt(micros(since)))).execute(db)?;
            others(db, &replica.id, since)
        })
    }

    fn others(&mut self, id: &str, since: DateTime<Utc>) -> StoreResult<Vec<Replica>> {
        self.read(|db| others(db, id, since))
    }

    fn withdraw(&mut self, id: &str) -> StoreResult<()> {
        self.write(|db| {
            diesel::delete(replicas::table.find(id)).execute(db)?;
            Ok(())
        })
    }
}

fn others(db: &mut Db, id: &str, since: DateTime<Utc>) -> Answer<Vec<Replica>> {
    let others = replicas::table
        .filter(replicas::id.ne(id))
        .filter(replicas::seen_at.ge(micros(since)))
        .order(replicas::id);
    let rows = others.select(ReplicaRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(ReplicaRow::replica).collect::<StoreResult<_>>()?)
}
