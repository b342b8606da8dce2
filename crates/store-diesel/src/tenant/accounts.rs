use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use tenantry_domain::account::{Account, AccountState};
use tenantry_domain::config::ConfigVersion;
use tenantry_domain::id::AccountId;
use tenantry_ports::{AccountFilter, AccountRepository, AccountRevision, StoreError, StoreResult};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::{from_json, limit, micros, number, parse, time, to_json};
use crate::db::{Db, MultiBackend};
use crate::schema::accounts;
use crate::transaction::Transaction;

/// The columns of an [`AccountRevision`], after the account's id.
const REVISION: (accounts::id, accounts::version, accounts::updated_at) =
    (accounts::id, accounts::version, accounts::updated_at);

/// A row of `accounts`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub(super) struct AccountRow {
    id: String,
    tenant_id: String,
    user_id: String,
    config_id: String,
    config_version: i64,
    config_hash: String,
    status: String,
    state: String,
    meta: Option<String>,
    version: i64,
    created_at: i64,
    updated_at: i64,
    rolls_at: Option<i64>,
}

impl AccountRow {
    fn new(account: &Account) -> StoreResult<Self> {
        Ok(Self {
            id: account.id.to_string(),
            tenant_id: account.tenant_id.to_string(),
            user_id: account.user_id.to_string(),
            config_id: account.config_id.to_string(),
            config_version: i64::from(account.config_version.get()),
            config_hash: account.config_hash.clone(),
            status: account.state.status.to_string(),
            state: to_json(&account.state)?,
            meta: account.meta.as_ref().map(to_json).transpose()?,
            version: account.version,
            created_at: micros(account.created_at),
            updated_at: micros(account.updated_at),
            rolls_at: account.rolls_at.map(micros),
        })
    }

    pub(super) fn account(self) -> StoreResult<Account> {
        let config_version = ConfigVersion::new(number("account", self.config_version)?);
        Ok(Account {
            id: parse("account", &self.id)?,
            tenant_id: parse("account", &self.tenant_id)?,
            user_id: parse("account", &self.user_id)?,
            config_id: parse("account", &self.config_id)?,
            config_version: config_version.map_err(|error| StoreError::corrupt("account", error))?,
            config_hash: self.config_hash,
            state: AccountState {
                status: parse("account", &self.status)?,
                ..from_json("account", &self.state)?
            },
            meta: self.meta.as_deref().map(|meta| from_json("account", meta)).transpose()?,
            rolls_at: self.rolls_at.map(|at| time("account", at)).transpose()?,
            version: self.version,
            created_at: time("account", self.created_at)?,
            updated_at: time("account", self.updated_at)?,
        })
    }
}

impl AccountRepository for Transaction<'_> {
    fn insert(&mut self, accounts: &[Account]) -> StoreResult<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows = accounts.iter().map(AccountRow::new).collect::<StoreResult<Vec<_>>>()?;
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(accounts::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    insert_accounts(&rows).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let rows = match db {
                // A statement with as many parameters as ids would be compiled anew each time; this one is kept.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::with_capacity(ids.len());
                    for id in ids.iter().collect::<BTreeSet<_>>() {
                        let query = accounts::table.find(id.to_string()).select(AccountRow::as_select());
                        rows.extend(query.get_result(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let ids = ids.iter().map(ToString::to_string);
                    let query = accounts::table.filter(accounts::id.eq_any(ids));
                    query.select(AccountRow::as_select()).load(postgres)?
                }
            };
            Ok(rows.into_iter().map(AccountRow::account).collect::<StoreResult<_>>()?)
        })
    }

    fn revisions(&mut self, ids: &[AccountId]) -> StoreResult<Vec<(AccountId, AccountRevision)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let rows: Vec<(String, i64, i64)> = match db {
                // One by one, as in `get`.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::with_capacity(ids.len());
                    for id in ids.iter().collect::<BTreeSet<_>>() {
                        let query = accounts::table.find(id.to_string()).select(REVISION);
                        rows.extend(query.get_result(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let ids = ids.iter().map(ToString::to_string);
                    accounts::table.filter(accounts::id.eq_any(ids)).select(REVISION).load(postgres)?
                }
            };
            let revision = |(id, version, updated_at): (String, i64, i64)| {
                let updated_at = time("account", updated_at)?;
                Ok((parse("account", &id)?, AccountRevision { version, updated_at }))
            };
            Ok(rows.into_iter().map(revision).collect::<StoreResult<_>>()?)
        })
    }

    fn update(&mut self, accounts: &[Account]) -> StoreResult<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            // The same account twice would be two updates here and one there.
            let ids: BTreeSet<_> = accounts.iter().map(|account| account.id).collect();
            if ids.len() < accounts.len() {
                return Err(StoreError::Stale.into());
            }
            let rows = accounts.iter().map(AccountRow::new).collect::<StoreResult<Vec<_>>>()?;
            let updated = match db {
                Db::Sqlite(sqlite) => {
                    let mut updated = 0;
                    for row in rows {
                        updated += update_one(row, sqlite)?;
                    }
                    updated
                }
                Db::Postgres(postgres) => update_accounts(&rows).execute(postgres)?,
            };
            if updated < accounts.len() {
                return Err(StoreError::Stale.into());
            }
            Ok(())
        })
    }

    fn page(
        &mut self,
        filter: &AccountFilter,
        after: Option<AccountId>,
        most: usize,
    ) -> StoreResult<Vec<Account>> {
        self.read(|db| {
            let mut query = accounts::table
                .select(AccountRow::as_select())
                .order(accounts::id.desc())
                .limit(limit(most))
                .into_boxed();
            let (user, config) = (filter.user.as_ref(), filter.config.as_ref());
            let (mut status, mut after) = (filter.status, after.map(|after| after.to_string()));
            // What comes first in the order comes first in an index, and no other one gives that order: PostgreSQL, which makes
            // one plan for all values, would else go through the accounts by id until enough of a rare kind are found.
            match (user, config, status) {
                (Some(user), _, _) => {
                    query = query.filter(accounts::user_id.eq(user.as_str()));
                    if let Some(config) = config {
                        query = query.filter(accounts::config_id.eq(config.as_str()));
                    }
                }
                (None, Some(config), _) => {
                    let newest = (accounts::config_id.desc(), accounts::id.desc());
                    query = query.order(newest).filter(accounts::config_id.ge(config.as_str()));
                    query = match after.take() {
                        None => query.filter(accounts::config_id.le(config.as_str())),
                        Some(after) => query.filter(below("(config_id, id)", config.as_str(), after)),
                    };
                }
                (None, None, Some(only)) => {
                    status = None;
                    let newest = (accounts::status.desc(), accounts::id.desc());
                    query = query.order(newest).filter(accounts::status.ge(only.as_str()));
                    query = match after.take() {
                        None => query.filter(accounts::status.le(only.as_str())),
                        Some(after) => query.filter(below("(status, id)", only.as_str(), after)),
                    };
                }
                (None, None, None) => {}
            }
            if let Some(status) = status {
                // The plus keeps SQLite from going by the status, and sorting what it finds.
                let equal = if matches!(db, Db::Sqlite(_)) { "+status = " } else { "status = " };
                query = query.filter(sql::<Bool>(equal).bind::<Text, _>(status.as_str()));
            }
            if let Some(after) = after {
                query = query.filter(accounts::id.lt(after));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(AccountRow::account).collect::<StoreResult<_>>()?)
        })
    }

    fn to_roll(&mut self, now: DateTime<Utc>, most: usize) -> StoreResult<Vec<Account>> {
        self.read(|db| {
            let due = accounts::table
                .filter(accounts::rolls_at.le(micros(now)))
                .order(accounts::rolls_at)
                .limit(limit(most))
                .select(AccountRow::as_select());
            let rows = due.load(db)?;
            Ok(rows.into_iter().map(AccountRow::account).collect::<StoreResult<_>>()?)
        })
    }

    fn next_roll(&mut self) -> StoreResult<Option<DateTime<Utc>>> {
        self.read(|db| {
            let first = accounts::table
                .filter(accounts::rolls_at.is_not_null())
                .order(accounts::rolls_at)
                .select(accounts::rolls_at.assume_not_null());
            let first: Option<i64> = first.first(db).optional()?;
            Ok(first.map(|at| time("account", at)).transpose()?)
        })
    }

    fn count(&mut self) -> StoreResult<u64> {
        self.read(|db| {
            let count: i64 = accounts::table.count().get_result(db)?;
            Ok(number("number of accounts", count)?)
        })
    }
}

/// That what is in these two columns comes before these two values: a place in an index.
fn below(
    columns: &str,
    first: &str,
    second: String,
) -> Box<dyn BoxableExpression<accounts::table, MultiBackend, SqlType = Bool>> {
    let before = sql::<Bool>(columns).sql(" < (").bind::<Text, _>(first.to_owned());
    Box::new(before.sql(", ").bind::<Text, _>(second).sql(")"))
}

fn update_one(row: AccountRow, sqlite: &mut SqliteConnection) -> QueryResult<usize> {
    let before = accounts::table.find(row.id).filter(accounts::version.eq(row.version - 1));
    let columns = (
        accounts::config_id.eq(row.config_id),
        accounts::config_version.eq(row.config_version),
        accounts::config_hash.eq(row.config_hash),
        accounts::status.eq(row.status),
        accounts::state.eq(row.state),
        accounts::meta.eq(row.meta),
        accounts::version.eq(row.version),
        accounts::updated_at.eq(row.updated_at),
        accounts::rolls_at.eq(row.rolls_at),
    );
    diesel::update(before).set(columns).execute(sqlite)
}

struct UpdateAccounts;

impl Sql for UpdateAccounts {
    const TEXT: &'static str = "\
        UPDATE accounts \
        SET config_id = n.config_id, config_version = n.config_version, config_hash = n.config_hash, \
            status = n.status, state = n.state, meta = n.meta, version = n.version, updated_at = n.updated_at, \
            rolls_at = n.rolls_at \
        FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS n (id, config_id, config_version, config_hash, \
                                                       status, state, meta, version, updated_at, rolls_at) \
        WHERE accounts.id = n.id AND accounts.version = n.version - 1";
}

fn update_accounts(rows: &[AccountRow]) -> Bulk<'_, UpdateAccounts> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.config_id.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.config_version).collect()),
        Bind::Texts(rows.iter().map(|row| row.config_hash.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.status.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.state.as_str()).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.meta.as_deref()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.version).collect()),
        Bind::Numbers(rows.iter().map(|row| row.updated_at).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.rolls_at).collect()),
    ])
}

struct InsertAccounts;

impl Sql for InsertAccounts {
    const TEXT: &'static str = "\
        INSERT INTO accounts (id, tenant_id, user_id, config_id, config_version, config_hash, \
                              status, state, meta, version, created_at, updated_at, rolls_at) \
        SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
}

fn insert_accounts(rows: &[AccountRow]) -> Bulk<'_, InsertAccounts> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.tenant_id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.user_id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.config_id.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.config_version).collect()),
        Bind::Texts(rows.iter().map(|row| row.config_hash.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.status.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.state.as_str()).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.meta.as_deref()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.version).collect()),
        Bind::Numbers(rows.iter().map(|row| row.created_at).collect()),
        Bind::Numbers(rows.iter().map(|row| row.updated_at).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.rolls_at).collect()),
    ])
}
