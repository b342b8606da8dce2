//! Several processes, and several endpoints.

use std::time::Instant;

use tenantry_tests::{Receiver, Tenantry, for_each_backend};

use super::{Endpoint, acme, caller, heard, ids, installation, provision, until};
use crate::steps::tenant;

/// What a process says, at this level, of each slice that it has delivered.
const SAYS: (&str, &str) = ("TENANTRY_LOG", "warn,tenantry_usecases=debug");
const SETTLED: &str = "Calls are settled";

#[test]
fn what_one_process_commits_is_delivered_once_and_by_each_of_three_others() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let front = installation.start_with(&["--role", "api"], &[]);
        let workers = [(); 3].map(|()| installation.launch(&["--role", "worker"], &[SAYS]));
        let mut sites = Vec::new();
        for slug in (0..12).map(|number| format!("acme-{number}")) {
            tenant(&front, &slug);
            let mut site = caller(&front, &slug);
            Endpoint::new(&mut site, &slug, &receiver.url(), &["account.provisioned"]);
            sites.push((site, slug));
        }
        let mut expected = 0;
        let mut commit = |round: usize, each: usize| {
            for (site, slug) in &mut sites {
                let body = super::bulk(&format!("{slug}-{round}"), each);
                site.post(&format!("/api/v1/tenants/{slug}/accounts/bulk"), &body).expect(200);
                expected += each;
            }
            heard(&receiver, expected)
        };
        commit(0, 100);
        // Which of them comes first is chance, so a process that shares the work has its turn sooner or later.
        let share = |worker: &Tenantry| worker.log().contains(SETTLED);
        let mut rounds = 1..200;
        while !workers.iter().all(share) {
            commit(rounds.next().expect("every process delivers something"), 1);
        }
        let calls = receiver.calls();
        assert_eq!((calls.len(), ids(&calls).len()), (expected, expected));
    });
}

#[test]
fn one_that_is_silent_delays_none_of_a_hundred_others() {
    for_each_backend(|backend| {
        let (installation, receiver, silent) = (installation(backend), Receiver::start(), Receiver::start());
        silent.fall_silent();
        let tenantry = installation.start();
        let mut site = acme(&tenantry);
        Endpoint::new(&mut site, "acme", &silent.url(), &["account.provisioned"]);
        provision(&mut site, "into the void", 200);
        until("the silent one is called", || silent.count() >= 16);
        for number in 0..100 {
            let url = format!("{}/{number}", receiver.url());
            Endpoint::new(&mut site, "acme", &url, &["account.provisioned"]);
        }
        let mut latencies = Vec::new();
        for round in 0..10 {
            let before = receiver.count();
            let begun = Instant::now();
            super::provision_one(&mut site, &format!("user-{round}"));
            let calls = heard(&receiver, before + 100);
            latencies.extend(calls[before..].iter().map(|call| call.at - begun));
        }
        latencies.sort();
        let p99 = latencies[latencies.len() * 99 / 100];
        assert!(p99.as_secs_f64() < 2.0, "{p99:?}");
        println!(
            "100 endpoints beside a silent one: median {:?}, p99 {p99:?}",
            latencies[latencies.len() / 2]
        );
    });
}
