use diesel::dsl::{exists, not};
use diesel::prelude::*;
use tenantry_domain::account::{Account, AccountMapping, Unmapped, WebsiteUserId};
use tenantry_domain::id::{AccountId, MappingId};
use tenantry_ports::{MappingRepository, StoreError, StoreResult};

use super::accounts::AccountRow;
use crate::convert::{limit, micros, parse, time};
use crate::db::{Db, MultiBackend};
use crate::schema::{account_mappings, accounts};
use crate::transaction::Transaction;

/// A row of `account_mappings`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = account_mappings, treat_none_as_default_value = false)]
struct MappingRow {
    id: String,
    account_id: String,
    user_id: String,
    mapped_at: i64,
    mapped_by: Option<String>,
    unmapped_at: Option<i64>,
    unmapped_by: Option<String>,
}

impl MappingRow {
    fn new(mapping: &AccountMapping) -> Self {
        Self {
            id: mapping.id.to_string(),
            account_id: mapping.account.to_string(),
            user_id: mapping.user.to_string(),
            mapped_at: micros(mapping.mapped_at),
            mapped_by: mapping.mapped_by.clone(),
            unmapped_at: mapping.unmapped.as_ref().map(|unmapped| micros(unmapped.at)),
            unmapped_by: mapping.unmapped.as_ref().map(|unmapped| unmapped.by.clone()),
        }
    }

    fn mapping(self) -> StoreResult<AccountMapping> {
        let unmapped = match (self.unmapped_at, self.unmapped_by) {
            (None, None) => None,
            (Some(at), Some(by)) => Some(Unmapped { at: time("mapping", at)?, by }),
            _ => return Err(StoreError::corrupt("mapping", "it has ended by half")),
        };
        Ok(AccountMapping {
            id: parse("mapping", &self.id)?,
            account: parse("mapping", &self.account_id)?,
            user: parse("mapping", &self.user_id)?,
            mapped_at: time("mapping", self.mapped_at)?,
            mapped_by: self.mapped_by,
            unmapped,
        })
    }
}

impl MappingRepository for Transaction<'_> {
    fn insert(&mut self, mappings: &[AccountMapping]) -> StoreResult<()> {
        if mappings.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows: Vec<_> = mappings.iter().map(MappingRow::new).collect();
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(account_mappings::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    diesel::insert_into(account_mappings::table).values(rows).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn end(&mut self, mapping: &AccountMapping) -> StoreResult<()> {
        self.write(|db| {
            let row = MappingRow::new(mapping);
            let open = account_mappings::table.find((row.account_id, row.id));
            let open = open.filter(account_mappings::unmapped_at.is_null());
            let end = (
                account_mappings::unmapped_at.eq(row.unmapped_at),
                account_mappings::unmapped_by.eq(row.unmapped_by),
            );
            match diesel::update(open).set(end).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn latest(&mut self, account: AccountId, user: &WebsiteUserId) -> StoreResult<Option<AccountMapping>> {
        self.read(|db| {
            let query = account_mappings::table
                .filter(account_mappings::user_id.eq(user.as_str()))
                .filter(account_mappings::account_id.eq(account.to_string()))
                .order(account_mappings::id.desc())
                .limit(1);
            let found = query.select(MappingRow::as_select()).get_result(db).optional()?;
            Ok(found.map(MappingRow::mapping).transpose()?)
        })
    }

    fn of_account(
        &mut self,
        account: AccountId,
        ended: bool,
        after: Option<MappingId>,
        most: usize,
    ) -> StoreResult<Vec<AccountMapping>> {
        self.read(|db| {
            let mut query = account_mappings::table
                .filter(account_mappings::account_id.eq(account.to_string()))
                .select(MappingRow::as_select())
                .order(account_mappings::id)
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if !ended {
                query = query.filter(account_mappings::unmapped_at.is_null());
            }
            if let Some(after) = after {
                query = query.filter(account_mappings::id.gt(after.to_string()));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(MappingRow::mapping).collect::<StoreResult<_>>()?)
        })
    }

    /// Two look-ups, each along an index: one for both would have to look at every account.
    fn accounts_of(
        &mut self,
        user: &WebsiteUserId,
        after: Option<AccountId>,
        most: usize,
    ) -> StoreResult<Vec<(Account, Option<AccountMapping>)>> {
        let (user, after) = (user.as_str(), after.map(|id| id.to_string()));
        self.read(|db| {
            let kept = account_mappings::table
                .filter(account_mappings::account_id.eq(accounts::id))
                .filter(account_mappings::user_id.eq(user));
            let mut born_with = accounts::table
                .filter(accounts::user_id.eq(user))
                .filter(not(exists(kept)))
                .select(AccountRow::as_select())
                .order(accounts::id.desc())
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            let mut given = account_mappings::table
                .inner_join(accounts::table)
                .filter(account_mappings::user_id.eq(user))
                .filter(account_mappings::unmapped_at.is_null())
                .select((AccountRow::as_select(), MappingRow::as_select()))
                .order(account_mappings::account_id.desc())
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(after) = &after {
                born_with = born_with.filter(accounts::id.lt(after));
                given = given.filter(account_mappings::account_id.lt(after));
            }
            let mut found = Vec::new();
            for row in born_with.load(db)? {
                found.push((row.account()?, None));
            }
            for (account, mapping) in given.load::<(AccountRow, MappingRow)>(db)? {
                found.push((account.account()?, Some(mapping.mapping()?)));
            }
            // One that changed hands between the look-ups may be in both.
            found.sort_by_key(|(account, _)| std::cmp::Reverse(account.id));
            found.dedup_by_key(|(account, _)| account.id);
            found.truncate(most);
            Ok(found)
        })
    }

    fn page(
        &mut self,
        after: Option<(AccountId, MappingId)>,
        most: usize,
    ) -> StoreResult<Vec<AccountMapping>> {
        self.read(|db| {
            let (account, id) =
                after.map(|(account, id)| (account.to_string(), id.to_string())).unwrap_or_default();
            let later = account_mappings::account_id.gt(account.clone()).or(account_mappings::id.gt(id));
            let query = account_mappings::table
                // Said apart from the rest, it is where the index is entered.
                .filter(account_mappings::account_id.ge(account))
                .filter(later)
                .select(MappingRow::as_select())
                .order((account_mappings::account_id, account_mappings::id))
                .limit(limit(most));
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(MappingRow::mapping).collect::<StoreResult<_>>()?)
        })
    }
}
