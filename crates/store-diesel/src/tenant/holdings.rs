use std::collections::BTreeSet;

use diesel::prelude::*;
use tenantry_domain::config::Symbol;
use tenantry_domain::id::AccountId;
use tenantry_ports::{HoldingRepository, StoreResult};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::parse;
use crate::db::Db;
use crate::schema::holdings;
use crate::transaction::Transaction;

impl HoldingRepository for Transaction<'_> {
    fn add(&mut self, added: &[(Symbol, AccountId)]) -> StoreResult<()> {
        if added.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            match db {
                Db::Sqlite(sqlite) => {
                    for (symbol, account) in added {
                        let row = (
                            holdings::symbol.eq(symbol.as_str()),
                            holdings::account_id.eq(account.to_string()),
                        );
                        diesel::insert_or_ignore_into(holdings::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    let accounts = ids(added);
                    Bulk::<AddHoldings>::new(binds(added, &accounts)).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn remove(&mut self, removed: &[(Symbol, AccountId)]) -> StoreResult<()> {
        if removed.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            match db {
                Db::Sqlite(sqlite) => {
                    for (symbol, account) in removed {
                        let row = holdings::table.find((symbol.as_str(), account.to_string()));
                        diesel::delete(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    let accounts = ids(removed);
                    Bulk::<RemoveHoldings>::new(binds(removed, &accounts)).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn holders(&mut self, symbols: &[Symbol]) -> StoreResult<Vec<(AccountId, Symbol)>> {
        if symbols.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let columns = (holdings::account_id, holdings::symbol);
            let symbols: BTreeSet<_> = symbols.iter().map(Symbol::as_str).collect();
            let mut holders = BTreeSet::new();
            match db {
                Db::Sqlite(sqlite) => {
                    for symbol in symbols {
                        let query = holdings::table.filter(holdings::symbol.eq(symbol)).select(columns);
                        holders.extend(query.load::<(String, String)>(sqlite)?);
                    }
                }
                Db::Postgres(postgres) => {
                    let query = holdings::table.filter(holdings::symbol.eq_any(symbols)).select(columns);
                    holders.extend(query.load::<(String, String)>(postgres)?);
                }
            }
            let noted = |(account, symbol): &(String, String)| {
                Ok((parse("holding", account)?, parse("holding", symbol)?))
            };
            Ok(holders.iter().map(noted).collect::<StoreResult<_>>()?)
        })
    }
}

fn ids(holdings: &[(Symbol, AccountId)]) -> Vec<String> {
    holdings.iter().map(|(_, account)| account.to_string()).collect()
}

fn binds<'a>(holdings: &'a [(Symbol, AccountId)], accounts: &'a [String]) -> [Bind<'a>; 2] {
    [
        Bind::Texts(holdings.iter().map(|(symbol, _)| symbol.as_str()).collect()),
        Bind::Texts(accounts.iter().map(String::as_str).collect()),
    ]
}

struct AddHoldings;

impl Sql for AddHoldings {
    const TEXT: &'static str =
        "INSERT INTO holdings (symbol, account_id) SELECT * FROM unnest(?, ?) ON CONFLICT DO NOTHING";
}

struct RemoveHoldings;

impl Sql for RemoveHoldings {
    const TEXT: &'static str = "\
        DELETE FROM holdings USING unnest(?, ?) AS gone (symbol, account_id) \
        WHERE holdings.symbol = gone.symbol AND holdings.account_id = gone.account_id";
}
