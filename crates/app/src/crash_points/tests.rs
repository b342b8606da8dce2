use std::thread::Builder;

use chrono::TimeDelta;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{Clock as _, StoreError};
use tenantry_testkit::{TestPlatform, sample};

use super::*;

fn plan(text: &str) -> Result<Plan, String> {
    text.parse()
}

#[test]
fn a_plan_says_what_happens_at_which_effect_of_which_threads() {
    let incidents = BTreeMap::from([
        (8, Incident::Fail),
        (9, Incident::Pause),
        (13, Incident::KillAfter(Duration::from_micros(1500))),
        (14, Incident::Kill),
        (15, Incident::PauseAfter(Duration::from_micros(20))),
    ]);
    assert_eq!(
        plan("keeper 8:fail 13:kill:1500 9:pause 14:kill 15:pause:20"),
        Ok(Plan { threads: "keeper".to_owned(), incidents })
    );
    for wrong in ["", "keeper kill", "keeper 1:kill:", "keeper 1:fail:5", "keeper x:kill", "keeper 1:slay"] {
        assert!(plan(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn effects_of_the_watched_threads_are_counted_and_fail_where_the_plan_says() {
    let platform = Arc::into_inner(TestPlatform::new().platform).unwrap();
    let platform = watch(platform, plan("keeper 2:fail 4:fail").unwrap(), Signals::new().unwrap());
    let on = |thread: &str, act: &(dyn Fn() -> bool + Sync)| {
        let named = Builder::new().name(thread.to_owned());
        thread::scope(|scope| named.spawn_scoped(scope, act).unwrap().join().unwrap())
    };
    let scope = sample::scope("acme");
    let read = || platform.control.read(|tx| tx.tenants().census()).is_ok();
    let write = || platform.control.write(|tx| tx.tenants().insert(&sample::tenant("acme"))).is_ok();
    let create = || platform.databases.create(&scope, &|| Ok(())).is_ok();
    let seed = || {
        let store = platform.stores.open(&scope).unwrap();
        store.write::<_, StoreError>(|tx| tx.settings().put(&Settings::default())).is_ok()
    };
    assert!(on("keeper", &create), "1");
    assert!(!on("keeper", &write), "2");
    assert!(on("keeper", &read) && on("worker", &write), "these do not count");
    assert!(platform.databases.migrate(&scope).is_ok(), "nor does this");
    assert!(on("keeper", &seed), "3");
    assert!(!on("keeper", &seed), "4");
    assert!(on("keeper", &seed), "5");
}

#[test]
fn a_process_may_live_in_a_later_time() {
    let clock = TestPlatform::new().platform.clock.clone();
    let ahead = Ahead::parse(&clock, "3600").unwrap();
    assert_eq!(ahead.now(), clock.now() + TimeDelta::hours(1));
    assert!(Ahead::parse(&clock, "-1").is_none() && Ahead::parse(&clock, "an hour").is_none());
}
