//! Facts about configs and accounts over time, through the use cases.

use std::thread;

use crate::contract::{Subject, store};
use crate::histories::{Act, History};
use crate::platform_over;

/// So many things in an order that is always the same for a seed.
fn acts(seed: u64, count: usize) -> Vec<Act> {
    let mut state = seed;
    // A linear congruential generator, with Knuth's numbers; its high bits are the good ones.
    let mut below = |bound: u8| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(bound)) as u8
    };
    (0..count)
        .map(|_| match below(10) {
            0 => Act::Strategy { internal: below(4) > 0 },
            1..5 => {
                let parent = below(3);
                let (config, capital) = (below(4), below(4));
                Act::Upload { config, capital, parent: (parent > 0).then_some(config.wrapping_sub(1) % 4) }
            }
            _ => Act::Provision { config: below(4), version: below(6).checked_sub(3) },
        })
        .collect()
}

/// Whatever is uploaded and provisioned in whichever order, each account's rules are those of one stored version, for ever.
pub fn an_accounts_rules_are_one_stored_versions(subject: &dyn Subject) {
    let (_, scope) = store(subject);
    let platform = platform_over(subject.control(), subject.stores(), subject.databases());
    let history = History::new(&platform, &scope);
    history.go_on(&[Act::Strategy { internal: true }]);
    for seed in 1..=4 {
        history.go_on(&acts(seed, 30));
        history.check();
    }
    let (versions, accounts) = history.check();
    assert!(versions > 5 && accounts > 20, "{versions} versions, {accounts} accounts");
}

/// The same where everybody does everything at once.
pub fn an_accounts_rules_are_one_stored_versions_also_under_concurrent_uploads(subject: &dyn Subject) {
    let (_, scope) = store(subject);
    let platform = platform_over(subject.control(), subject.stores(), subject.databases());
    let history = History::new(&platform, &scope);
    history.go_on(&[
        Act::Strategy { internal: true },
        Act::Upload { config: 0, capital: 1, parent: None },
        Act::Upload { config: 1, capital: 0, parent: Some(0) },
    ]);
    thread::scope(|threads| {
        for seed in 11..=14 {
            let history = &history;
            threads.spawn(move || history.go_on(&acts(seed, 30)));
        }
    });
    let (versions, accounts) = history.check();
    assert!(versions > 3 && accounts > 20, "{versions} versions, {accounts} accounts");
}
