//! What the basis and the processes said, version by version.

use diesel::prelude::*;
use tenantry_domain::Verbatim;
use tenantry_domain::basis::Subject;
use tenantry_ports::{ConfigurationVersion, StoreError, StoreResult};

use crate::convert::{limit, micros, parse, time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::config_versions as versions;

/// A row of `config_versions`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = versions, treat_none_as_default_value = false)]
struct VersionRow {
    subject: String,
    version: i64,
    document: Option<String>,
    changed_by: String,
    changed_at: i64,
}

impl VersionRow {
    fn new(record: &ConfigurationVersion) -> Self {
        Self {
            subject: record.subject.to_string(),
            version: record.version,
            document: record.document.as_ref().map(|document| document.as_str().to_owned()),
            changed_by: record.changed_by.clone(),
            changed_at: micros(record.changed_at),
        }
    }

    fn record(self) -> StoreResult<ConfigurationVersion> {
        let document = self.document.map(|text| Verbatim::from_text(&text)).transpose();
        Ok(ConfigurationVersion {
            subject: parse("config version", &self.subject)?,
            version: self.version,
            document: document.map_err(|error| StoreError::corrupt("config version", error))?,
            changed_by: self.changed_by,
            changed_at: time("config version", self.changed_at)?,
        })
    }
}

fn records(rows: Vec<VersionRow>) -> Answer<Vec<ConfigurationVersion>> {
    Ok(rows.into_iter().map(VersionRow::record).collect::<StoreResult<_>>()?)
}

pub(super) fn add(db: &mut Db, records: &[ConfigurationVersion]) -> Answer<()> {
    let rows: Vec<_> = records.iter().map(VersionRow::new).collect();
    match db {
        Db::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(versions::table).values(row).execute(sqlite)?;
            }
        }
        Db::Postgres(postgres) => {
            diesel::insert_into(versions::table).values(rows).execute(postgres)?;
        }
    }
    Ok(())
}

pub(super) fn one(db: &mut Db, subject: Subject, version: i64) -> Answer<Option<ConfigurationVersion>> {
    let query = versions::table.find((subject.to_string(), version)).select(VersionRow::as_select());
    Ok(query.get_result(db).optional()?.map(VersionRow::record).transpose()?)
}

pub(super) fn newest_first(
    db: &mut Db,
    subject: Subject,
    before: Option<i64>,
    most: usize,
) -> Answer<Vec<ConfigurationVersion>> {
    let query = versions::table
        .filter(versions::subject.eq(subject.to_string()))
        .filter(versions::version.lt(before.unwrap_or(i64::MAX)))
        .select(VersionRow::as_select())
        .order(versions::version.desc())
        .limit(limit(most));
    records(query.load(db)?)
}

pub(super) fn in_order(
    db: &mut Db,
    after: Option<(Subject, i64)>,
    most: usize,
) -> Answer<Vec<ConfigurationVersion>> {
    let (subject, version) =
        after.map_or((String::new(), 0), |(subject, version)| (subject.to_string(), version));
    let same = versions::subject.eq(subject.clone()).and(versions::version.gt(version));
    let query = versions::table
        .filter(versions::subject.gt(subject).or(same))
        .select(VersionRow::as_select())
        .order((versions::subject, versions::version))
        .limit(limit(most));
    records(query.load(db)?)
}
