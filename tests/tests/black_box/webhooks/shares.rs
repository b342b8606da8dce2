//! Several processes, and several endpoints.

use std::time::Instant;

use tenantry_tests::{Receiver, for_each_backend};

use super::{Endpoint, acme, caller, heard, ids, installation, provision, until};
use crate::steps::tenant;

#[test]
fn what_one_process_commits_is_delivered_by_three_others_once() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let front = installation.start_with(&["--role", "api"], &[]);
        let workers: Vec<_> = (0..3).map(|_| installation.launch(&["--role", "worker"], &[])).collect();
        let slugs: Vec<_> = (0..12).map(|number| format!("acme-{number}")).collect();
        let mut sites = Vec::new();
        for slug in &slugs {
            tenant(&front, slug);
            let mut site = caller(&front, slug);
            Endpoint::new(&mut site, slug, &receiver.url(), &["account.provisioned"]);
            sites.push(site);
        }
        for (site, slug) in sites.iter_mut().zip(&slugs) {
            let body = super::bulk(slug, 100);
            site.post(&format!("/api/v1/tenants/{slug}/accounts/bulk"), &body).expect(200);
        }
        let calls = heard(&receiver, 1_200);
        assert_eq!((calls.len(), ids(&calls).len()), (1_200, 1_200));
        drop(workers);
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
