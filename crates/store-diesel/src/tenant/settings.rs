use diesel::prelude::*;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{SettingsRepository, StoreResult};

use crate::convert::{from_json, to_json};
use crate::schema::settings;
use crate::transaction::Transaction;

/// The only row.
const ROW: i64 = 1;

impl SettingsRepository for Transaction<'_> {
    fn get(&mut self) -> StoreResult<Option<Settings>> {
        self.read(|db| {
            let document: Option<String> =
                settings::table.find(ROW).select(settings::document).first(db).optional()?;
            Ok(document.map(|document| from_json("settings", &document)).transpose()?)
        })
    }

    fn put(&mut self, settings: &Settings) -> StoreResult<()> {
        self.write(|db| {
            let document = to_json(settings)?;
            let changed = diesel::update(settings::table.find(ROW)).set(settings::document.eq(&document));
            if changed.execute(db)? == 0 {
                let row = (settings::id.eq(ROW), settings::document.eq(&document));
                diesel::insert_into(settings::table).values(row).execute(db)?;
            }
            Ok(())
        })
    }
}
