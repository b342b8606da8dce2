use chrono::{DateTime, Utc};
use serde_json::json;

use super::*;
use crate::account::AccountStatus;
use crate::config::{AccountConfig, demo};

const BEGIN: &str = "2025-01-10T15:00:00Z";

/// Of the demonstration config: two stages, the first of 60 days, in New York.
fn provisioned() -> (Rulebook, AccountState) {
    let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
    (Rulebook::of(&config), AccountState::provisioned(&config, at(BEGIN)))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn bought(time: &str) -> AccountEvent {
    let trade = json!({
        "type": "TradeExecuted", "tradeId": "1", "symbol": "EURUSD", "side": "buy", "quantity": 1, "price": 1.1,
        "contractSize": 100_000, "executedAt": time,
    });
    serde_json::from_str(&trade.to_string()).unwrap()
}

fn marked(time: &str, price: &str) -> AccountEvent {
    let text = format!(r#"{{"type":"PriceMarked","symbol":"EURUSD","price":{price},"at":"{time}"}}"#);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn time_runs_out_only_where_an_account_can_expire() {
    let (rules, state) = provisioned();
    assert_eq!(time_runs_out(&rules, &state), None, "no trade yet");
    let (state, _) = apply(&rules, state, &bought("2025-01-10T16:00:00Z"));
    let runs_out = at("2025-03-11T16:00:00Z");
    assert_eq!(time_runs_out(&rules, &state), Some(runs_out));
    for status in AccountStatus::ALL {
        let expected = match status {
            AccountStatus::Active | AccountStatus::Paused => Some(runs_out),
            _ => None,
        };
        assert_eq!(time_runs_out(&rules, &AccountState { status, ..state.clone() }), expected, "{status}");
    }
    // Paused on the last day: the pause ends first.
    let paused = AccountState {
        status: AccountStatus::Paused,
        trading_day: "2025-03-11".parse().unwrap(),
        ..state.clone()
    };
    assert_eq!(time_runs_out(&rules, &paused), Some(at("2025-03-12T04:00:00Z")));

    let a_little_before = AccountEvent::DayRolled { at: at("2025-03-11T15:59:59.999Z") };
    let (alive, _) = apply(&rules, state.clone(), &a_little_before);
    assert_eq!(alive.status, AccountStatus::Active);
    let (expired, outcome) = apply(&rules, state, &AccountEvent::DayRolled { at: runs_out });
    assert_eq!((expired.status, outcome.refusal), (AccountStatus::Expired, None));
    assert_eq!(time_runs_out(&rules, &expired), None);
}

#[test]
fn a_pause_that_outlasts_the_stage_ends_in_its_expiry() {
    let (rules, state) = provisioned();
    let (mut state, _) = apply(&rules, state, &bought("2025-01-10T16:00:00Z"));
    state.status = AccountStatus::Paused;
    state.open_positions.clear();
    state.trading_day = "2025-03-11".parse().unwrap();
    let (state, outcome) = apply(&rules, state, &AccountEvent::DayRolled { at: at("2025-03-11T17:00:00Z") });
    assert_eq!((state.status, outcome.changed), (AccountStatus::Paused, false));
    let (state, outcome) = apply(&rules, state, &AccountEvent::DayRolled { at: at("2025-03-12T04:00:00Z") });
    assert_eq!(state.status, AccountStatus::Expired);
    let told: Vec<_> = outcome.emitted.iter().map(|emission| emission.event_type().to_string()).collect();
    assert_eq!(
        told,
        ["account.state_changed", "rule.violation.duration", "account.state_changed", "challenge.failed"]
    );
}

#[test]
fn a_day_is_rolled_once_and_only_forward() {
    let (rules, state) = provisioned();
    let next = next_day_starts(&rules, &state);
    assert_eq!(next, at("2025-01-11T05:00:00Z"));
    let (rolled, outcome) = apply(&rules, state, &AccountEvent::DayRolled { at: next });
    assert!(outcome.changed && outcome.emitted.is_empty());
    assert_eq!((rolled.trading_day.to_string().as_str(), rolled.as_of), ("2025-01-11", next));
    let (again, outcome) = apply(&rules, rolled.clone(), &AccountEvent::DayRolled { at: next });
    assert!(!outcome.changed && again == rolled);
    let (before, outcome) = apply(&rules, rolled.clone(), &AccountEvent::DayRolled { at: at(BEGIN) });
    assert_eq!(outcome.refusal.map(|refusal| refusal.code()), Some("out_of_order"));
    assert_eq!(before, rolled);
}

#[test]
fn a_refused_event_on_a_later_day_leaves_the_day_begun() {
    let (rules, state) = provisioned();
    let (state, _) = apply(&rules, state, &bought("2025-01-10T16:00:00Z"));
    let mut trade = bought("2025-01-13T16:00:00Z");
    if let AccountEvent::TradeExecuted(trade) = &mut trade {
        trade.symbol = "WHEAT".parse().unwrap();
    }
    let (state, outcome) = apply(&rules, state, &trade);
    assert_eq!(outcome.refusal, Some(Refusal::Rule(crate::account::Rule::Instrument)));
    assert!(outcome.changed);
    assert_eq!(state.trading_day.to_string(), "2025-01-13");
    assert_eq!((state.days.len(), state.challenge.first_trade_at), (1, Some(at("2025-01-10T16:00:00Z"))));
}

#[test]
fn what_is_finer_than_a_millisecond_is_not_looked_at() {
    let (rules, state) = provisioned();
    let (state, _) = apply(&rules, state, &bought("2025-01-10T16:00:00.0009Z"));
    let (state, outcome) = apply(&rules, state, &marked("2025-01-10T16:00:00.0001Z", "1.2"));
    assert_eq!(outcome.refusal, None);
    assert_eq!(state.as_of, at("2025-01-10T16:00:00Z"));
}

#[test]
fn an_event_at_a_time_that_cannot_be_written_is_refused() {
    let (rules, state) = provisioned();
    for time in ["9999-12-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "1899-12-31T23:59:59Z"] {
        let roll: AccountEvent = serde_json::from_value(json!({ "type": "DayRolled", "at": time })).unwrap();
        let (after, outcome) = apply(&rules, state.clone(), &roll);
        assert_eq!(outcome.refusal, Some(Refusal::TimeOutOfRange), "{time}");
        assert_eq!(after, state);
    }
}

#[test]
fn a_clone_of_a_rulebook_is_the_same_one() {
    let (rules, _) = provisioned();
    assert!(std::ptr::eq(rules.rules(), rules.clone().rules()));
}
