//! What must hold of the engine, whatever happens.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::json;
use tenantry_domain::Amount;
use tenantry_domain::account::engine::{
    AccountEvent, Quantity, Refusal, Replay, Replayed, Rulebook, Trade, TradeId, apply, next_day_starts,
    replay,
};
use tenantry_domain::account::{AccountState, AccountStatus};
use tenantry_domain::config::Symbol;

use super::random::{begin, config, history};
use super::twins::typed;

fn again(state: &AccountState) -> AccountState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

/// Whether two amounts are the same but for the last of their digits.
fn is_close(a: Amount, b: Amount) -> bool {
    (a.value() - b.value()).abs() < Decimal::new(1, 18)
}

fn trade(event: &AccountEvent) -> Option<&Trade> {
    if let AccountEvent::TradeExecuted(trade) = event { Some(trade) } else { None }
}

/// The trade as two, of which the first has this many tenths.
fn split(whole: &Trade, tenths: i64) -> [AccountEvent; 2] {
    let first = whole.quantity.value() * Decimal::new(tenths, 1);
    [("1", first), ("2", whole.quantity.value() - first)].map(|(part, quantity)| {
        AccountEvent::TradeExecuted(Trade {
            trade_id: TradeId::new(format!("{}/{part}", whole.trade_id)).unwrap(),
            quantity: Quantity::new(Amount::new(quantity)).unwrap(),
            ..whole.clone()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn balance_and_unrealised_profit_are_equity_at_all_times(config in config(), events in history(40)) {
        let rules = Rulebook::of(&typed(&config));
        let mut replay = Replay::new(AccountState::provisioned(&typed(&config), begin()));
        for event in &events {
            replay.step(&rules, event);
            let state = replay.state();
            let open = state.open_positions.iter().map(|held| held.unrealised_pnl.value()).sum::<Decimal>();
            prop_assert!(is_close(state.unrealised_pnl.total, Amount::new(open)));
            prop_assert!(is_close(state.equity, Amount::new(state.balance.value() + open)));
            prop_assert!(state.high_water_mark >= state.equity);
            prop_assert!(state.open_positions.is_sorted_by(|a, b| a.symbol < b.symbol));
            prop_assert!(state.open_positions.iter().all(|held| held.quantity > Amount::ZERO));
            prop_assert!(!state.status.is_final() || state.open_positions.is_empty());
            prop_assert!(next_day_starts(&rules, state) > state.as_of || state.status.is_final());
            prop_assert_eq!(rules.trading_day(next_day_starts(&rules, state)) > state.trading_day, true);
        }
    }

    #[test]
    fn a_replay_gives_the_same_state_also_by_way_of_its_text(config in config(), events in history(40)) {
        let rules = Rulebook::of(&typed(&config));
        let start = AccountState::provisioned(&typed(&config), begin());
        let first = replay(&rules, start.clone(), &events);
        let mut second = Replay::new(again(&start));
        for event in &events {
            let event: AccountEvent = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            second.step(&rules, &event);
        }
        prop_assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(second.state()).unwrap());

        let mut interrupted = start;
        let mut applied = BTreeSet::new();
        for event in &events {
            if trade(event).is_some_and(|trade| applied.contains(&trade.trade_id)) {
                continue;
            }
            let (state, outcome) = apply(&rules, again(&interrupted), event);
            prop_assert!(outcome.changed || state == interrupted);
            applied.extend(trade(event).filter(|_| outcome.refusal.is_none()).map(|trade| trade.trade_id.clone()));
            interrupted = state;
        }
        prop_assert_eq!(serde_json::to_string(&interrupted).unwrap(), serde_json::to_string(&first).unwrap());
    }

    #[test]
    fn what_is_refused_changes_nothing_on_the_same_day(config in config(), events in history(40)) {
        let rules = Rulebook::of(&typed(&config));
        let mut state = AccountState::provisioned(&typed(&config), begin());
        for event in &events {
            let (after, outcome) = apply(&rules, state.clone(), event);
            if outcome.refusal.is_some() && after.trading_day == state.trading_day && !after.status.is_final() {
                prop_assert_eq!(&after, &state);
                prop_assert!(!outcome.changed);
            }
            if let Some(Refusal::OutOfOrder { last }) = outcome.refusal {
                prop_assert!(event.at() < last && after == state);
            }
            prop_assert!(state.status == after.status || !state.status.is_final());
            state = after;
        }
    }

    #[test]
    fn a_mark_of_what_is_not_held_changes_nothing(config in config(), events in history(30)) {
        let rules = Rulebook::of(&typed(&config));
        let mut replay = Replay::new(AccountState::provisioned(&typed(&config), begin()));
        for event in &events {
            replay.step(&rules, event);
            let state = replay.state().clone();
            let price = serde_json::from_str("12.5").unwrap();
            let mark = AccountEvent::PriceMarked { symbol: Symbol::new("OTHER").unwrap(), price, at: state.as_of };
            let (after, outcome) = apply(&rules, state.clone(), &mark);
            prop_assert_eq!(&after, &state);
            prop_assert!(outcome.emitted.is_empty() && !outcome.changed);
        }
    }

    #[test]
    fn a_day_that_is_rolled_before_the_event_is_the_day_that_the_event_rolls(config in config(), events in history(40)) {
        let rules = Rulebook::of(&typed(&config));
        let start = AccountState::provisioned(&typed(&config), begin());
        let mut by_itself = Replay::new(start.clone());
        let mut by_worker = Replay::new(start);
        for event in &events {
            if by_itself.step(&rules, event) == Replayed::Duplicate {
                continue;
            }
            if event.at() >= by_worker.state().as_of {
                by_worker.step(&rules, &AccountEvent::DayRolled { at: event.at() });
            }
            by_worker.step(&rules, event);
            let one = AccountState { as_of: by_worker.state().as_of, ..by_itself.state().clone() };
            prop_assert_eq!(&one, by_worker.state());
        }
    }

    #[test]
    fn splitting_a_fill_in_two_changes_no_money(events in history(25), at in 0usize..25, tenths in 1i64..10) {
        // Without rules that count trades or days, and without commissions.
        let document = json!({
            "id": "split", "displayName": "Split", "baseCapital": 25000, "variant": "evaluation",
            "challengeDefinitions": [{ "id": "a", "name": "A", "rules": { "profitTarget": 1, "maxDrawdown": 1 } }],
            "payoutRules": { "stagedPayouts": [] },
        });
        let rules = Rulebook::of(&typed(&document));
        let start = AccountState::provisioned(&typed(&document), begin());
        let mut ids = BTreeSet::new();
        let free = |trade: &Trade| trade.commission.value().is_zero();
        let whole: Vec<_> = events
            .into_iter()
            .filter(|event| trade(event).is_none_or(|trade| free(trade) && ids.insert(trade.trade_id.clone())))
            .collect();
        let parts: Vec<_> = whole.iter().enumerate().flat_map(|(index, event)| match trade(event) {
            Some(trade) if index == at => split(trade, tenths).to_vec(),
            _ => vec![event.clone()],
        }).collect();
        let (whole, parts) = (replay(&rules, start.clone(), &whole), replay(&rules, start, &parts));
        for (a, b) in [
            (whole.balance, parts.balance), (whole.equity, parts.equity),
            (whole.realised_pnl.total, parts.realised_pnl.total), (whole.unrealised_pnl.total, parts.unrealised_pnl.total),
            (whole.high_water_mark, parts.high_water_mark),
        ] {
            prop_assert!(is_close(a, b), "{} {}", a, b);
        }
        prop_assert_eq!(whole.open_positions.len(), parts.open_positions.len());
        for (a, b) in whole.open_positions.iter().zip(&parts.open_positions) {
            prop_assert_eq!((&a.symbol, a.side, a.quantity), (&b.symbol, b.side, b.quantity));
            prop_assert!(is_close(a.average_entry_price, b.average_entry_price));
        }
    }

    #[test]
    fn at_a_limit_it_is_alive_and_beyond_it_not(
        mode in select(vec!["trailing", "trailing-unlocked", "static"]),
        drawdown in 1i64..2000, daily in 1i64..2000, high in 0i64..3000, days in 0i64..2,
    ) {
        // In tens of the thousandth part of 100000.
        let fraction = |amount: i64| Decimal::new(amount, 5);
        let text = json!({
            "id": "limits", "displayName": "Limits", "baseCapital": 100000, "variant": "straight-to-funded",
            "challengeDefinitions": [{ "id": "a", "name": "A", "rules": {
                "maxDrawdown": "DRAWDOWN", "dailyLossLimit": "DAILY", "drawdownMode": mode } }],
            "payoutRules": { "stagedPayouts": [] },
        }).to_string();
        let text = text.replace("\"DRAWDOWN\"", &fraction(drawdown).to_string()).replace("\"DAILY\"", &fraction(daily).to_string());
        let config = serde_json::from_str(&text).unwrap();
        let rules = Rulebook::of(&config);
        let mark = |price: Decimal, at| -> AccountEvent {
            serde_json::from_str(&json!({ "type": "PriceMarked", "symbol": "A", "price": "P", "at": at }).to_string().replace("\"P\"", &price.to_string())).unwrap()
        };
        let bought: AccountEvent = serde_json::from_value(json!({
            "type": "TradeExecuted", "tradeId": "1", "symbol": "A", "side": "buy", "quantity": 1, "price": 200000, "executedAt": begin(),
        })).unwrap();
        let (state, _) = apply(&rules, AccountState::provisioned(&config, begin()), &bought);
        let (state, _) = apply(&rules, state, &mark(Decimal::from(200_000 + high), begin()));
        let later = begin() + TimeDelta::days(days);
        let (state, _) = apply(&rules, state, &AccountEvent::DayRolled { at: later });

        let (equity, start) = (100_000 + high, 100_000);
        let floor = match mode {
            "static" => start - drawdown,
            "trailing" => (equity - drawdown).min(start),
            _ => equity - drawdown,
        };
        let day_start = if days == 0 { start } else { equity };
        let lowest = floor.max(day_start - daily);
        let at_limit = Decimal::from(lowest + 100_000);
        let (alive, outcome) = apply(&rules, state, &mark(at_limit, later));
        prop_assert_eq!((alive.status, outcome.emitted.len()), (AccountStatus::Funded, 0));
        let (dead, outcome) = apply(&rules, alive, &mark(at_limit - Decimal::new(1, 20), later));
        prop_assert_eq!(dead.status, AccountStatus::Breached);
        let rule = if floor >= day_start - daily { "rule.violation.max_drawdown" } else { "rule.violation.daily_loss" };
        let event_type = outcome.emitted[0].event_type();
        prop_assert_eq!(event_type.as_str(), rule);
        prop_assert!(dead.open_positions.is_empty() && dead.balance == dead.equity);
    }
}
