use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::account::AccountState;
use tenantry_domain::account::engine::{Rulebook, next_day_starts, time_acts_next};

/// How far behind the clock the last event of an account may be for the account to be kept in the present. Whose events are
/// older is being fed with history.
const PRESENT: TimeDelta = TimeDelta::days(7);
/// For how long after its last event an account that has fallen behind is left alone: whoever feeds it has more to come.
const SILENCE: TimeDelta = TimeDelta::hours(1);

/// When to see what time alone has done to an account that is in this state `now`; `grace` is how much later than a day's end
/// its last events may come.
pub(crate) fn plan(
    rules: &Rulebook,
    state: &AccountState,
    grace: TimeDelta,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let due = time_acts_next(rules, state)? + grace;
    match due > now {
        true => Some(due),
        false if now - state.as_of <= PRESENT => Some(now + SILENCE),
        false => None,
    }
}

/// Whether a whole trading day has ended since the account's last event, so that it is not the clock that the account's
/// engine goes by, or not yet. One that nobody has traded has no engine.
pub(crate) fn is_behind(
    rules: &Rulebook,
    state: &AccountState,
    grace: TimeDelta,
    now: DateTime<Utc>,
) -> bool {
    !state.is_untraded() && next_day_starts(rules, state) + grace <= now
}

#[cfg(test)]
mod tests {
    use tenantry_domain::account::AccountStatus;
    use tenantry_domain::config::{AccountConfig, demo};

    use super::*;

    const GRACE: TimeDelta = TimeDelta::minutes(1);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// An account whose last event was then, on the clock of New York.
    fn traded(last: &str) -> (Rulebook, AccountState) {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let mut state = AccountState::provisioned(&config, at(last));
        state.status = AccountStatus::Active;
        state.challenge.first_trade_at = Some(at(last));
        (Rulebook::of(&config), state)
    }

    fn planned(last: &str, now: &str) -> Option<DateTime<Utc>> {
        let (rules, state) = traded(last);
        plan(&rules, &state, GRACE, at(now))
    }

    #[test]
    fn an_account_in_the_present_is_looked_at_when_its_day_has_ended() {
        let now = "2025-01-10T15:00:00Z";
        assert_eq!(planned(now, now), Some(at("2025-01-11T05:01:00Z")));
        assert_eq!(planned("2025-03-09T04:59:59Z", "2025-03-09T05:00:59Z"), Some(at("2025-03-09T05:01:00Z")));
        assert_eq!(planned("2025-03-09T05:00:00Z", "2025-03-09T05:00:59Z"), Some(at("2025-03-10T04:01:00Z")));
        assert_eq!(planned("2026-01-10T15:00:00Z", now), Some(at("2026-01-11T05:01:00Z")), "it waits");
    }

    #[test]
    fn the_end_of_a_stages_time_is_not_waited_for_until_the_days_end() {
        let (rules, mut state) = traded("2025-01-10T15:00:00Z");
        (state.as_of, state.trading_day) = (at("2025-03-11T14:00:00Z"), "2025-03-11".parse().unwrap());
        let due = plan(&rules, &state, GRACE, at("2025-03-11T14:00:01Z"));
        assert_eq!(due, Some(at("2025-03-11T15:01:00Z")), "60 days after the first trade");
    }

    #[test]
    fn an_account_that_is_fed_with_history_is_left_alone() {
        assert_eq!(planned("2025-01-10T15:00:00Z", "2025-01-17T15:00:00.001Z"), None);
        let behind = planned("2025-01-10T15:00:00Z", "2025-01-17T15:00:00Z");
        assert_eq!(behind, Some(at("2025-01-17T16:00:00Z")), "for an hour");
    }

    #[test]
    fn nothing_is_planned_for_what_time_does_nothing_to() {
        let (rules, mut state) = traded("2025-01-10T15:00:00Z");
        let now = at("2025-01-10T15:00:01Z");
        for status in AccountStatus::ALL {
            state.status = status;
            let planned = plan(&rules, &state, GRACE, now).is_some();
            assert_eq!(planned, !status.is_final() && status != AccountStatus::Provisioned, "{status}");
        }
    }

    #[test]
    fn an_account_is_behind_once_its_day_is_over() {
        let (rules, mut state) = traded("2025-01-10T15:00:00Z");
        assert!(!is_behind(&rules, &state, GRACE, at("2025-01-11T05:00:59Z")));
        assert!(is_behind(&rules, &state, GRACE, at("2025-01-11T05:01:00Z")));
        state.status = AccountStatus::Provisioned;
        assert!(!is_behind(&rules, &state, GRACE, at("2026-01-11T05:01:00Z")));
    }
}
