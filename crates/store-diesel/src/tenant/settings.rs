use diesel::prelude::*;
use diesel::upsert::excluded;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{SettingsRepository, StoreResult};

use crate::convert::{from_json, to_json};
use crate::db::Db;
use crate::schema::settings;
use crate::transaction::Transaction;

/// The only row.
const ROW: i64 = 1;

impl SettingsRepository for Transaction<'_> {
    fn get(&mut self) -> StoreResult<Option<Settings>> {
        self.read(|db| {
            let document: Option<String> =
                settings::table.find(ROW).select(settings::document).get_result(db).optional()?;
            Ok(document.map(|document| from_json("settings", &document)).transpose()?)
        })
    }

    fn put(&mut self, settings: &Settings) -> StoreResult<()> {
        self.write(|db| {
            let upsert = diesel::insert_into(settings::table)
                .values((settings::id.eq(ROW), settings::document.eq(to_json(settings)?)))
                .on_conflict(settings::id)
                .do_update()
                .set(settings::document.eq(excluded(settings::document)));
            match db {
                Db::Sqlite(sqlite) => upsert.execute(sqlite)?,
                Db::Postgres(postgres) => upsert.execute(postgres)?,
            };
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn settings_are_written_for_the_first_time_by_several_at_once() {
        for place in testing::both() {
            let store = place.store();
            std::thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| store.write(|tx| tx.settings().put(&Settings::default())).unwrap());
                }
            });
            assert!(store.read(|tx| tx.settings().get()).unwrap().is_some());
        }
    }
}
