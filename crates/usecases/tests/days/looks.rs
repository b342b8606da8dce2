//! What is noted, so that somebody looks: in time, once, whoever dies, and of no tenant without need.

use chrono::TimeDelta;
use tenantry_domain::account::AccountStatus;
use tenantry_domain::tenant::{Slug, Status};
use tenantry_ports::StoreError;
use tenantry_usecases::accounts::{Change, Trading, change, close};
use tenantry_usecases::days::roll_once;
use tenantry_usecases::tenants::{self, Target, TenantRef};
use tenantry_usecases::transfer::{self, ImportTenant};

use crate::desk::{Desk, at, hand};
use crate::rolled;
use crate::support::work_off;

#[test]
fn nobody_looks_at_tenants_whose_accounts_are_not_traded() {
    let desk = Desk::new();
    let account = desk.account("25k-v1");
    let disabled = Change { status: Some(Trading::Disabled), ..Change::default() };
    change(&desk.platform, &desk.scope, account, disabled, hand(), |_| true).unwrap();
    assert_eq!(desk.control.writes(), 0);
    assert!(!desk.is_anything_noted());
    desk.set("12-01T00:00:00");
    assert_eq!(roll_once(&desk.platform, "worker").unwrap(), None);
}

#[test]
fn a_day_costs_the_control_database_one_write_however_many_trades_there_are() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let accounts = [(); 5].map(|()| desk.account("25k-v1"));
    desk.control.writes();
    for minute in 10..40 {
        let when = format!("03-06T15:{minute}:00");
        desk.set(&when);
        for account in accounts {
            assert_eq!(desk.trade(account, &format!("t-{minute}"), &when), "applied");
        }
        desk.mark("1.1001", &when);
    }
    assert_eq!(desk.control.writes(), 1);
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(5));
    desk.control.writes();
    for account in accounts {
        assert_eq!(desk.trade(account, "t-day", "03-07T05:01:00"), "applied");
    }
    assert_eq!(desk.control.writes(), 1, "the next day is noted once more");
}

#[test]
fn what_is_due_very_soon_is_looked_at_a_little_later() {
    let desk = Desk::new();
    desk.set("03-07T04:59:50");
    let account = desk.traded("25k-v1", "03-07T04:59:50");
    assert_eq!(desk.roll_at("03-07T05:01:49"), rolled(0));
    assert_eq!(desk.roll_at("03-07T05:01:50"), rolled(1));
    assert_eq!(desk.day(account).0, "2026-03-07");
}

#[test]
fn nothing_is_kept_that_nobody_would_look_at() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.account("25k-v1");
    let (before, told) = (desk.stored(account), desk.told(0).len());
    desk.control.fail(1);
    let failed = desk.try_trade(account, "t-1", "03-06T15:00:00").unwrap_err();
    assert!(failed.contains("as it was told to"), "{failed}");
    assert_eq!((desk.stored(account), desk.told(0).len()), (before, told));
    assert_eq!(desk.trade(account, "t-1", "03-06T15:00:00"), "applied");
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
}

#[test]
fn a_worker_that_dies_before_it_has_done_anything_is_replaced() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    desk.traded("25k-v1", "03-06T15:00:00");
    desk.set("03-07T05:01:00");
    let (now, lease) = (at("03-07T05:01:00"), TimeDelta::minutes(2));
    let claimed =
        desk.platform.control.write::<_, StoreError>(|tx| tx.days().claim("dying", now, lease)).unwrap();
    assert!(claimed.is_some());
    assert_eq!(desk.roll_at("03-07T05:02:59"), rolled(0));
    assert_eq!(desk.roll_at("03-07T05:03:00"), rolled(1));
}

#[test]
fn a_worker_that_dies_when_all_is_done_leaves_a_look_that_finds_nothing() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    desk.set("03-07T05:01:00");
    desk.control.fail(2);
    assert!(matches!(roll_once(&desk.platform, "dying"), Err(StoreError::Unavailable(_))));
    let begun = desk.stored(account);
    assert_eq!(begun.state.trading_day.to_string(), "2026-03-07");
    desk.set("03-07T05:03:00");
    assert_eq!(roll_once(&desk.platform, "worker").unwrap(), Some(rolled(0)));
    assert_eq!(desk.stored(account), begun);
    assert_eq!(desk.roll_at("03-08T05:01:00"), rolled(1), "and notes the next one");
}

#[test]
fn an_account_that_is_closed_needs_no_look_after_the_next() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    close(&desk.platform, &desk.scope, account, true, hand(), |_| true).unwrap();
    assert_eq!(desk.stored(account).state.status, AccountStatus::Closed);
    assert!(desk.is_anything_noted());
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(0));
    assert!(!desk.is_anything_noted());
}

#[test]
fn days_of_a_suspended_tenant_go_on_and_those_of_a_deleted_one_end() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    let account = desk.traded("25k-v1", "03-06T15:00:00");
    let target = || Target { tenant: desk.scope.tenant(), version: None, by: "operator" };
    tenants::suspend(&desk.platform, target()).unwrap();
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(1));
    assert_eq!(desk.day(account).0, "2026-03-07");
    tenants::deprovision(&desk.platform, target(), Some(TimeDelta::zero())).unwrap();
    work_off(&desk.test);
    let id = TenantRef::Id(desk.scope.tenant());
    let tenant = tenants::find(&desk.platform, &id).unwrap();
    assert!(tenant.is_none_or(|tenant| tenant.lifecycle.status() == Status::Deleted));
    assert!(desk.is_anything_noted());
    assert_eq!(desk.roll_at("03-08T05:01:00"), rolled(0));
    assert!(!desk.is_anything_noted());
}

#[test]
fn days_of_accounts_that_were_imported_begin_as_they_did() {
    let desk = Desk::new();
    desk.set("03-06T15:00:00");
    desk.traded("25k-v1", "03-06T15:00:00");
    desk.traded("25k-v1", "01-06T15:00:00");
    let tenant = tenants::find(&desk.platform, &TenantRef::Id(desk.scope.tenant())).unwrap().unwrap();
    let mut archive = Vec::new();
    transfer::export(&desk.test.platform, &tenant, "1.2.3", &mut archive).unwrap();
    let whole = transfer::verify(&desk.test.platform, &archive[..]).unwrap();
    let wish = ImportTenant { slug: Some(Slug::new("twin").unwrap()), cluster: None };
    let id = transfer::begin(&desk.test.platform, &whole, wish).unwrap();
    work_off(&desk.test);
    transfer::complete(&desk.test.platform, id, &whole, &archive[..]).unwrap();
    assert_eq!(desk.roll_at("03-07T05:01:00"), rolled(2), "one here and one there");
    assert_eq!(desk.roll_at("03-08T05:01:00"), rolled(2));
}
