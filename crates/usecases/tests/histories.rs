//! Random configs, uploads and provisionings: an account's rules are those of exactly one stored version, for ever.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use proptest::prelude::*;
use support::active;
use tenantry_testkit::TestPlatform;
use tenantry_testkit::histories::{Act, History};

fn act() -> impl Strategy<Value = Act> {
    let config = 0..5u8;
    prop_oneof![
        1 => any::<bool>().prop_map(|internal| Act::Strategy { internal }),
        4 => (config.clone(), 0..4u8, proptest::option::of(config.clone()))
            .prop_map(|(config, capital, parent)| Act::Upload { config, capital, parent }),
        5 => (config, proptest::option::of(0..5u8))
            .prop_map(|(config, version)| Act::Provision { config, version }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_accounts_rules_are_one_stored_versions_for_ever(
        before in proptest::collection::vec(act(), 1..40),
        after in proptest::collection::vec(act(), 1..40),
    ) {
        let test = TestPlatform::new();
        let scope = active(&test);
        let history = History::new(&test.platform, &scope);
        history.go_on(&[Act::Strategy { internal: true }]);
        history.go_on(&before);
        history.check();
        history.go_on(&after);
        history.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn and_so_they_are_where_everything_happens_at_once(
        crowd in proptest::collection::vec(proptest::collection::vec(act(), 5..25), 2..5),
    ) {
        let test = TestPlatform::new();
        let scope = active(&test);
        let history = History::new(&test.platform, &scope);
        history.go_on(&[Act::Strategy { internal: true }]);
        std::thread::scope(|threads| {
            for acts in &crowd {
                threads.spawn(|| history.go_on(acts));
            }
        });
        history.check();
    }
}
