use diesel::prelude::*;
use tenantry_ports::{Carryover, CarryoverRepository, StoreResult};

use crate::convert::{micros, optional, optional_time, time};
use crate::schema::carryover;
use crate::transaction::Transaction;

/// The key of the one row.
const ONE: i64 = 1;

/// The row of `carryover`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = carryover, treat_none_as_default_value = false)]
struct CarryoverRow {
    id: i64,
    plan: String,
    begun_at: i64,
    after_tenant: Option<String>,
    completed_at: Option<i64>,
}

impl CarryoverRow {
    fn carryover(self) -> StoreResult<Carryover> {
        Ok(Carryover {
            plan: self.plan,
            begun_at: time("carryover", self.begun_at)?,
            after: optional("carryover", self.after_tenant.as_deref())?,
            completed_at: optional_time("carryover", self.completed_at)?,
        })
    }
}

impl CarryoverRepository for Transaction<'_> {
    fn get(&mut self) -> StoreResult<Option<Carryover>> {
        self.read(|db| {
            let row = carryover::table.find(ONE).select(CarryoverRow::as_select()).first(db).optional()?;
            Ok(row.map(CarryoverRow::carryover).transpose()?)
        })
    }

    fn put(&mut self, carryover: &Carryover) -> StoreResult<()> {
        let row = CarryoverRow {
            id: ONE,
            plan: carryover.plan.clone(),
            begun_at: micros(carryover.begun_at),
            after_tenant: carryover.after.map(|tenant| tenant.to_string()),
            completed_at: carryover.completed_at.map(micros),
        };
        self.write(|db| {
            diesel::delete(carryover::table.find(ONE)).execute(db)?;
            diesel::insert_into(carryover::table).values(row).execute(db)?;
            Ok(())
        })
    }
}
