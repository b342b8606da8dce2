//! What people do to an account is done in the account's time.

use chrono::{DateTime, Utc};
use tenantry_domain::account::AccountStatus;
use tenantry_domain::id::AccountId;
use tenantry_usecases::accounts::{self, Change, Destination, Trading};

use crate::desk::{Desk, at, hand};

impl Desk {
    fn change(&self, account: AccountId, change: Change) -> DateTime<Utc> {
        let changed = accounts::change(&self.platform, &self.scope, account, change, hand(), |_| true);
        changed.unwrap().account.state.as_of
    }

    fn set_status(&self, account: AccountId, status: Trading) -> DateTime<Utc> {
        self.change(account, Change { status: Some(status), ..Change::default() })
    }
}

#[test]
fn an_account_in_the_present_is_acted_upon_now() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T14:00:00");
    assert_eq!(desk.set_status(account, Trading::Disabled), at("03-06T15:00:00"));
    desk.set("03-06T16:00:00");
    assert_eq!(desk.set_status(account, Trading::Enabled), at("03-06T16:00:00"));
    assert_eq!(desk.trade(account, "t-2", "03-06T15:59:00"), "out_of_order");
}

#[test]
fn an_account_that_nobody_has_traded_is_acted_upon_now() {
    let desk = Desk::new();
    let account = desk.account("25k-v1");
    desk.set("03-20T15:00:00");
    assert_eq!(desk.set_status(account, Trading::Disabled), at("03-20T15:00:00"));
    desk.set("03-25T15:00:00");
    assert_eq!(desk.set_status(account, Trading::Enabled), at("03-25T15:00:00"));
    assert_eq!(desk.trade(account, "t-1", "01-06T15:00:00"), "applied", "its engine may begin with history");
}

#[test]
fn history_goes_on_after_an_account_was_disabled_and_enabled() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "01-05T15:00:00");
    assert_eq!(desk.set_status(account, Trading::Disabled), at("01-05T15:00:00"));
    assert_eq!(desk.trade(account, "t-2", "01-06T15:00:00"), "account_disabled");
    assert_eq!(desk.set_status(account, Trading::Enabled).date_naive().to_string(), "2026-01-06");
    assert_eq!(desk.trade(account, "t-2", "01-06T15:00:00"), "applied");
}

#[test]
fn history_goes_on_after_an_account_was_reset_or_migrated() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "01-05T15:00:00");
    let reset = Change { reset: true, ..Change::default() };
    assert_eq!(desk.change(account, reset), at("01-05T15:00:00"));
    assert_eq!(desk.trade(account, "t-2", "01-05T15:00:00"), "applied");
    let to = Destination { config: Some("paused-v1".parse().unwrap()), version: None };
    let migrated = accounts::migrate(&desk.platform, &desk.scope, account, &to, hand(), |_| true).unwrap();
    assert_eq!(migrated.after.account.state.as_of, at("01-05T15:00:00"));
    assert_eq!(desk.trade(account, "t-3", "01-05T15:00:01"), "applied");
}

#[test]
fn an_account_of_long_ago_is_closed_at_its_own_time() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("short-v1", "01-05T15:00:00");
    accounts::close(&desk.platform, &desk.scope, account, true, hand(), |_| true).unwrap();
    let state = desk.stored(account).state;
    assert_eq!((state.status, state.as_of), (AccountStatus::Closed, at("01-05T15:00:00")), "not expired");
}

#[test]
fn what_is_ahead_of_the_clock_is_not_put_back() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "05-05T15:00:00");
    assert_eq!(desk.set_status(account, Trading::Disabled), at("05-05T15:00:00"));
}
