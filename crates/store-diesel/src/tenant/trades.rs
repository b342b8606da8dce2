use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_domain::Amount;
use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::id::AccountId;
use tenantry_ports::{StoreResult, TradeRepository};

use crate::bulk::{Answers, Bind, Bulk, Sql};
use crate::convert::{from_json, limit, number, parse, to_json};
use crate::db::{Db, MultiBackend};
use crate::schema::trades;
use crate::transaction::Transaction;

/// A row of `trades`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = trades)]
struct TradeRow {
    account_id: String,
    trade_id: String,
    sequence: i64,
    place: i64,
    trade: String,
    realised: String,
}

impl TradeRow {
    fn new(applied: &AppliedTrade) -> StoreResult<Self> {
        Ok(Self {
            account_id: applied.account.to_string(),
            trade_id: applied.trade.trade_id.to_string(),
            sequence: applied.place.sequence,
            place: i64::from(applied.place.index),
            trade: to_json(&applied.trade)?,
            realised: applied.realised_pnl.to_string(),
        })
    }

    fn applied(self) -> StoreResult<AppliedTrade> {
        Ok(AppliedTrade {
            account: parse("trade", &self.account_id)?,
            trade: from_json("trade", &self.trade)?,
            realised_pnl: parse("trade", &self.realised)?,
            place: TradePlace { sequence: self.sequence, index: number("trade", self.place)? },
        })
    }
}

impl TradeRepository for Transaction<'_> {
    fn insert(&mut self, applied: &[AppliedTrade]) -> StoreResult<()> {
        if applied.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows = applied.iter().map(TradeRow::new).collect::<StoreResult<Vec<_>>>()?;
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(trades::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    insert_trades(&rows).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn realised(
        &mut self,
        asked: &[(AccountId, &TradeId)],
    ) -> StoreResult<Vec<(AccountId, TradeId, Amount)>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let mut asked: Vec<_> =
                asked.iter().map(|(account, id)| (account.to_string(), id.as_str())).collect();
            asked.sort_unstable();
            asked.dedup();
            let rows: Vec<(String, String, String)> = match db {
                // One by one, with a statement that is kept, as accounts are.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::new();
                    for (account, id) in asked {
                        let query = trades::table.find((account, id));
                        let query = query.select((trades::account_id, trades::trade_id, trades::realised));
                        rows.extend(query.get_result(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let find = Bulk::<FindTrades>::new([
                        Bind::Texts(asked.iter().map(|(account, _)| account.as_str()).collect()),
                        Bind::Texts(asked.iter().map(|(_, id)| *id).collect()),
                    ]);
                    find.load(postgres)?
                }
            };
            let found = rows.into_iter().map(|(account, id, realised)| {
                Ok((parse("trade", &account)?, parse("trade", &id)?, parse("trade", &realised)?))
            });
            Ok(found.collect::<StoreResult<_>>()?)
        })
    }

    fn of_account(
        &mut self,
        account: AccountId,
        after: Option<TradePlace>,
        most: usize,
    ) -> StoreResult<Vec<AppliedTrade>> {
        self.read(|db| {
            let mut query = trades::table
                .filter(trades::account_id.eq(account.to_string()))
                .select(TradeRow::as_select())
                .order((trades::account_id, trades::sequence, trades::place))
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(TradePlace { sequence, index }) = after {
                let place = sql::<Bool>("(sequence, place) > (").bind::<BigInt, _>(sequence);
                query = query.filter(place.sql(", ").bind::<BigInt, _>(i64::from(index)).sql(")"));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(TradeRow::applied).collect::<StoreResult<_>>()?)
        })
    }

    fn page(
        &mut self,
        after: Option<(AccountId, TradePlace)>,
        most: usize,
    ) -> StoreResult<Vec<AppliedTrade>> {
        self.read(|db| {
            let mut query = trades::table
                .select(TradeRow::as_select())
                .order((trades::account_id, trades::sequence, trades::place))
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some((account, TradePlace { sequence, index })) = after {
                let place = sql::<Bool>("(account_id, sequence, place) > (")
                    .bind::<Text, _>(account.to_string())
                    .sql(", ")
                    .bind::<BigInt, _>(sequence)
                    .sql(", ")
                    .bind::<BigInt, _>(i64::from(index))
                    .sql(")");
                query = query.filter(place);
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(TradeRow::applied).collect::<StoreResult<_>>()?)
        })
    }
}

struct FindTrades;

impl Sql for FindTrades {
    const TEXT: &'static str = "\
        SELECT trades.account_id, trades.trade_id, trades.realised \
        FROM unnest(?, ?) AS asked (account_id, trade_id) \
        JOIN trades ON trades.account_id = asked.account_id AND trades.trade_id = asked.trade_id";
}

impl Answers for FindTrades {
    type Columns = (Text, Text, Text);
}

struct InsertTrades;

impl Sql for InsertTrades {
    const TEXT: &'static str = "\
        INSERT INTO trades (account_id, trade_id, sequence, place, trade, realised) \
        SELECT * FROM unnest(?, ?, ?, ?, ?, ?)";
}

fn insert_trades(rows: &[TradeRow]) -> Bulk<'_, InsertTrades> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.account_id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.trade_id.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.sequence).collect()),
        Bind::Numbers(rows.iter().map(|row| row.place).collect()),
        Bind::Texts(rows.iter().map(|row| row.trade.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.realised.as_str()).collect()),
    ])
}
