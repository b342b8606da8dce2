use std::collections::BTreeSet;
use std::ops::Bound;

use tenantry_domain::Amount;
use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::config::Symbol;
use tenantry_domain::id::AccountId;
use tenantry_ports::{Constraint, HoldingRepository, StoreError, StoreResult, TradeRepository};

use super::snapshot::Transaction;
use super::tenant::TenantState;

const FIRST: TradePlace = TradePlace { sequence: i64::MIN, index: 0 };
const LAST: TradePlace = TradePlace { sequence: i64::MAX, index: u32::MAX };

impl TradeRepository for Transaction<TenantState> {
    fn insert(&mut self, trades: &[AppliedTrade]) -> StoreResult<()> {
        self.change(|state| {
            for trade in trades {
                let key = (trade.account, trade.trade.trade_id.clone());
                if state.trade_ids.insert(key, trade.place).is_some() {
                    return Err(StoreError::Conflict(Constraint::TradeId));
                }
                state.trades.insert((trade.account, trade.place), trade.clone());
            }
            Ok(())
        })
    }

    fn realised(
        &mut self,
        trades: &[(AccountId, &TradeId)],
    ) -> StoreResult<Vec<(AccountId, TradeId, Amount)>> {
        self.look(|state| {
            let asked: BTreeSet<_> = trades.iter().copied().collect();
            let found = asked.into_iter().filter_map(|(account, id)| {
                let place = state.trade_ids.get(&(account, id.clone()))?;
                let trade = state.trades.get(&(account, *place))?;
                Some((account, id.clone(), trade.realised_pnl))
            });
            Ok(found.collect())
        })
    }

    fn of_account(
        &mut self,
        account: AccountId,
        after: Option<TradePlace>,
        limit: usize,
    ) -> StoreResult<Vec<AppliedTrade>> {
        self.look(|state| {
            let first =
                after.map_or(Bound::Included((account, FIRST)), |after| Bound::Excluded((account, after)));
            let range = (first, Bound::Included((account, LAST)));
            Ok(state.trades.range(range).take(limit).map(|(_, trade)| trade.clone()).collect())
        })
    }

    fn page(
        &mut self,
        after: Option<(AccountId, TradePlace)>,
        limit: usize,
    ) -> StoreResult<Vec<AppliedTrade>> {
        self.look(|state| {
            let first = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = state.trades.range((first, Bound::Unbounded));
            Ok(rest.take(limit).map(|(_, trade)| trade.clone()).collect())
        })
    }
}

impl HoldingRepository for Transaction<TenantState> {
    fn add(&mut self, holdings: &[(Symbol, AccountId)]) -> StoreResult<()> {
        self.change(|state| {
            for holding in holdings {
                state.holdings.insert(holding.clone(), ());
            }
            Ok(())
        })
    }

    fn remove(&mut self, holdings: &[(Symbol, AccountId)]) -> StoreResult<()> {
        self.change(|state| {
            for holding in holdings {
                state.holdings.remove(holding);
            }
            Ok(())
        })
    }

    fn holders(&mut self, symbols: &[Symbol]) -> StoreResult<Vec<(AccountId, Symbol)>> {
        self.look(|state| {
            let noted = state.holdings.keys().filter(|(symbol, _)| symbols.contains(symbol));
            let holders: BTreeSet<_> = noted.map(|(symbol, account)| (*account, symbol.clone())).collect();
            Ok(holders.into_iter().collect())
        })
    }
}
