use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_ports::{
    ConfigHead, ConfigRepository, ConfigVersionRecord, StoreError, StoreResult, StoredConfig,
};

use crate::convert::{from_json, limit, micros, number, parse, time, to_json};
use crate::db::Db;
use crate::schema::account_configs as configs;
use crate::transaction::Transaction;

diesel::alias!(configs as later: Later);

/// A row of `account_configs`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = configs)]
struct ConfigRow {
    id: String,
    version: i64,
    document: String,
    resolved: String,
    hash: String,
    created_by: String,
    created_at: i64,
}

/// A row of `account_configs` without the documents.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = configs)]
struct HeadRow {
    id: String,
    version: i64,
    hash: String,
}

/// A row of `account_configs` without the documents and the id.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = configs)]
struct RecordRow {
    version: i64,
    hash: String,
    created_by: String,
    created_at: i64,
}

impl RecordRow {
    fn record(self) -> StoreResult<ConfigVersionRecord> {
        Ok(ConfigVersionRecord {
            version: version(self.version)?,
            hash: self.hash,
            created_by: self.created_by,
            created_at: time("config", self.created_at)?,
        })
    }
}

fn version(stored: i64) -> StoreResult<ConfigVersion> {
    ConfigVersion::new(number("config", stored)?).map_err(|error| StoreError::corrupt("config", error))
}

impl ConfigRow {
    fn config(self) -> StoreResult<StoredConfig> {
        Ok(StoredConfig {
            id: parse("config", &self.id)?,
            version: version(self.version)?,
            document: from_json("config", &self.document)?,
            resolved: from_json("config", &self.resolved)?,
            hash: self.hash,
            created_by: self.created_by,
            created_at: time("config", self.created_at)?,
        })
    }
}

impl HeadRow {
    fn head(self) -> StoreResult<ConfigHead> {
        Ok(ConfigHead { id: parse("config", &self.id)?, version: version(self.version)?, hash: self.hash })
    }
}

/// The row has no later version.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_current() -> _ {
    let same_id = later.field(configs::id).eq(configs::id);
    let is_later = later.field(configs::version).gt(configs::version);
    not(exists(later.filter(same_id).filter(is_later)))
}

impl ConfigRepository for Transaction<'_> {
    fn insert(&mut self, config: &StoredConfig) -> StoreResult<()> {
        self.write(|db| {
            let row = ConfigRow {
                id: config.id.to_string(),
                version: i64::from(config.version.get()),
                document: to_json(&config.document)?,
                resolved: to_json(&config.resolved)?,
                hash: config.hash.clone(),
                created_by: config.created_by.clone(),
                created_at: micros(config.created_at),
            };
            diesel::insert_into(configs::table).values(row).execute(db)?;
            Ok(())
        })
    }

    fn heads(&mut self, ids: &[ConfigId]) -> StoreResult<Vec<ConfigHead>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let rows = match db {
                // A statement with as many parameters as ids would be compiled anew each time; this one is kept.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::with_capacity(ids.len());
                    for id in ids.iter().collect::<BTreeSet<_>>() {
                        let query = configs::table.filter(configs::id.eq(id.as_str()));
                        let query = query.order(configs::version.desc()).select(HeadRow::as_select());
                        rows.extend(query.first(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let query = configs::table.filter(configs::id.eq_any(ids.iter().map(ConfigId::as_str)));
                    query.filter(is_current()).select(HeadRow::as_select()).load(postgres)?
                }
            };
            Ok(rows.into_iter().map(HeadRow::head).collect::<StoreResult<_>>()?)
        })
    }

    fn get(&mut self, id: &ConfigId, version: Option<ConfigVersion>) -> StoreResult<Option<StoredConfig>> {
        self.read(|db| {
            let query = configs::table.filter(configs::id.eq(id.as_str())).select(ConfigRow::as_select());
            let found = match version {
                Some(version) => query.filter(configs::version.eq(i64::from(version.get()))).get_result(db),
                None => query.order(configs::version.desc()).first(db),
            };
            Ok(found.optional()?.map(ConfigRow::config).transpose()?)
        })
    }

    fn page(&mut self, after: Option<&ConfigId>, most: usize) -> StoreResult<Vec<ConfigHead>> {
        self.read(|db| {
            let query = configs::table
                .filter(configs::id.gt(after.map_or("", ConfigId::as_str)))
                .filter(is_current())
                .select(HeadRow::as_select())
                .order(configs::id)
                .limit(limit(most));
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(HeadRow::head).collect::<StoreResult<_>>()?)
        })
    }

    fn with_hash(&mut self, id: &ConfigId, hash: &str) -> StoreResult<Option<StoredConfig>> {
        self.read(|db| {
            let query = configs::table.filter(configs::id.eq(id.as_str())).filter(configs::hash.eq(hash));
            let query = query.order(configs::version.desc()).select(ConfigRow::as_select());
            Ok(query.first(db).optional()?.map(ConfigRow::config).transpose()?)
        })
    }

    fn versions(
        &mut self,
        id: &ConfigId,
        before: Option<ConfigVersion>,
        most: usize,
    ) -> StoreResult<Vec<ConfigVersionRecord>> {
        self.read(|db| {
            let before = before.map_or(i64::MAX, |before| i64::from(before.get()));
            let query =
                configs::table.filter(configs::id.eq(id.as_str())).filter(configs::version.lt(before));
            let query = query.order(configs::version.desc()).limit(limit(most));
            let rows = query.select(RecordRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(RecordRow::record).collect::<StoreResult<_>>()?)
        })
    }

    fn clear(&mut self) -> StoreResult<()> {
        self.write(|db| {
            diesel::delete(configs::table).execute(db)?;
            Ok(())
        })
    }
}
