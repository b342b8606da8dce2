//! Days begin by themselves, for accounts in the present, once each; and what people do to an account is done in its time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acts;
mod desk;
mod looks;
#[path = "../support/mod.rs"]
mod support;

use desk::{Desk, at};
use serde_json::json;
use tenantry_domain::account::{Account, AccountStatus};
use tenantry_domain::config::ConfigId;
use tenantry_usecases::days::Rolled;

fn rolled(accounts: usize) -> Rolled {
    Rolled { accounts, ..Rolled::default() }
}

#[test]
fn quiet_accounts_begin_each_day_at_its_start_whatever_the_clocks_do() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    // In New York clocks are put forward on the 8th.
    for (day, hour) in [("03-07", 5), ("03-08", 5), ("03-09", 4), ("03-10", 4)] {
        let before = desk.stored(account);
        assert_eq!(desk.roll_at(&format!("{day}T0{hour}:00:59")), rolled(0), "its last trades may come yet");
        assert_eq!(desk.stored(account), before);
        assert_eq!(desk.roll_at(&format!("{day}T0{hour}:01:00")), rolled(1));
        assert_eq!(desk.day(account), (format!("2026-{day}"), at(&format!("{day}T0{hour}:00:00"))));
        assert_eq!(desk.stored(account).version, before.version + 1);
        assert_eq!(desk.roll(), rolled(0));
    }
}

#[test]
fn each_account_has_the_day_of_its_own_config() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let accounts = ["25k-v1", "utc-v1"].map(|config| desk.traded(config, "03-06T15:00:00"));
    let days = || accounts.map(|account| desk.day(account).0);
    assert_eq!(desk.roll_at("03-07T00:01:00"), rolled(1));
    assert_eq!(days(), ["2026-03-06", "2026-03-07"]);
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
    assert_eq!(days(), ["2026-03-07", "2026-03-07"]);
}

#[test]
fn days_that_nobody_was_there_for_begin_one_after_the_other() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let (account, short) =
        (desk.traded("25k-v1", "03-06T15:00:00"), desk.traded("short-v1", "03-06T15:00:00"));
    assert_eq!(desk.roll_at("04-20T12:00:00"), Rolled { expired: 1, ..rolled(2) });
    assert_eq!(desk.day(account), ("2026-04-20".to_owned(), at("04-20T04:00:00")));
    assert_eq!(desk.day(short), ("2026-03-08".to_owned(), at("03-08T15:00:00")), "the moment it ended at");
}

#[test]
fn a_pause_ends_with_its_day_and_the_log_says_so() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("paused-v1", "03-06T15:00:00");
    desk.mark("1.02", "03-06T15:01:00");
    assert_eq!(desk.stored(account).state.status, AccountStatus::Paused);
    let before = desk.told(0).len();
    assert_eq!(desk.roll_at("03-07T05:01:00"), Rolled { resumed: 1, ..rolled(1) });
    assert_eq!(desk.stored(account).state.status, AccountStatus::Active);
    let told = desk.told(before);
    let [days, changed] = &told[..] else { panic!("{told:?}") };
    assert_eq!((days.event_type.as_str(), days.account_id), ("days.rolled", None));
    let counts = json!({ "rolled": 1, "resumed": 1, "expired": 0 });
    assert_eq!(
        days.data,
        json!({ "until": "2026-03-07T05:01:00.000Z", "accounts": counts, "by": "tenantry" })
    );
    assert_eq!((changed.event_type.as_str(), changed.account_id), ("account.state_changed", Some(account)));
    assert_eq!(
        [&changed.data["from"], &changed.data["to"], &changed.data["by"], &changed.data["applied"]],
        [
            &json!("paused"),
            &json!("active"),
            &json!("tenantry"),
            &json!({ "type": "DayRolled", "at": "2026-03-07T05:00:00.000Z" })
        ]
    );
}

#[test]
fn a_stage_runs_out_of_time_within_a_day() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("short-v1", "03-06T15:00:00");
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
    assert_eq!(desk.roll_at("03-08T05:01:00"), rolled(1));
    assert_eq!(desk.roll_at("03-08T15:00:59"), rolled(0));
    let before = desk.told(0).len();
    assert_eq!(desk.roll_at("03-08T15:01:00"), Rolled { expired: 1, ..rolled(1) });
    let state = desk.stored(account).state;
    assert_eq!((state.status, state.open_positions.len()), (AccountStatus::Expired, 0));
    let told = desk.told(before);
    let types: Vec<_> = told.iter().map(|event| event.event_type.as_str()).collect();
    assert!(types.contains(&"rule.violation.duration") && types.contains(&"challenge.failed"), "{types:?}");
    assert!(!desk.is_anything_noted(), "nothing will happen to it any more");
}

#[test]
fn a_trade_that_comes_a_little_after_midnight_still_belongs_to_its_day() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    assert_eq!(desk.roll_at("03-07T05:00:30"), rolled(0));
    assert_eq!(desk.trade(account, "t-2", "03-07T04:59:59"), "applied");
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
    assert_eq!(desk.trade(account, "t-3", "03-07T04:59:59"), "out_of_order");
    assert_eq!(desk.trade(account, "t-4", "03-07T05:00:00"), "applied");
}

#[test]
fn an_account_that_is_traded_in_its_new_day_is_not_begun_again() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    desk.set("03-07T05:00:10");
    assert_eq!(desk.trade(account, "t-2", "03-07T05:00:10"), "applied");
    let before = desk.stored(account);
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(0));
    assert_eq!(desk.stored(account), before);
    assert_eq!(desk.roll_at("03-08T05:01:00"), rolled(1));
}

#[test]
fn history_is_replayed_without_being_cut_off() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "01-05T15:00:00");
    assert!(!desk.is_anything_noted());
    assert_eq!(desk.roll_at("03-07T15:00:00"), rolled(0));
    assert_eq!(desk.trade(account, "t-2", "01-06T15:00:00"), "applied");
    assert_eq!(desk.day(account), ("2026-01-06".to_owned(), at("01-06T15:00:00")));
}

#[test]
fn an_account_that_catches_up_is_begun_when_nothing_comes_any_more() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-03T15:00:00");
    assert_eq!(desk.roll_at("03-06T15:30:00"), rolled(0));
    assert_eq!(desk.trade(account, "t-2", "03-04T15:00:00"), "applied");
    assert_eq!(desk.roll_at("03-06T16:29:59"), rolled(0));
    assert_eq!(desk.trade(account, "t-3", "03-05T15:00:00"), "applied");
    assert_eq!(desk.roll_at("03-06T17:29:58"), rolled(0));
    assert_eq!(desk.roll_at("03-06T17:29:59"), rolled(1));
    assert_eq!(desk.day(account), ("2026-03-06".to_owned(), at("03-06T05:00:00")));
    assert_eq!(desk.trade(account, "t-4", "03-05T16:00:00"), "out_of_order");
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1), "from now on it is in the present");
}

#[test]
fn an_account_of_the_future_waits_for_the_clock() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("utc-v1", "03-20T15:00:00");
    assert_eq!(desk.roll_at("03-20T23:59:59"), rolled(0));
    assert_eq!(desk.roll_at("03-21T00:01:00"), rolled(1));
    assert_eq!(desk.day(account).0, "2026-03-21");
}

#[test]
fn many_accounts_are_begun_slice_by_slice() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    desk.traded_many("25k-v1", "03-06T15:00:00", 501);
    let before = desk.told(0).len();
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(501));
    let told = desk.told(before);
    let counts: Vec<_> = told.iter().map(|event| event.data["accounts"]["rolled"].clone()).collect();
    assert_eq!(counts, [500, 1]);
}

#[test]
fn an_account_that_makes_no_sense_is_in_nobodys_way() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let [good, bad] = [(); 2].map(|()| desk.traded("25k-v1", "03-06T15:00:00"));
    let config_id = ConfigId::new("no-such-config").unwrap();
    let stored = Account { config_id, config_hash: "of nothing".to_owned(), ..desk.stored(bad) };
    desk.test.world.put_account(&desk.scope, stored).unwrap();
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
    assert_eq!((desk.day(good).0.as_str(), desk.day(bad).0.as_str()), ("2026-03-07", "2026-03-06"));
    assert_eq!((desk.stored(bad).rolls_at, desk.roll_at("03-08T05:01:00")), (None, rolled(1)));
}
