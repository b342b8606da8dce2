//! Processes that die on the way from a commit to its record.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tenantry_tests::{Client, Installation, Receiver, Tenantry, for_each_backend};

use super::{BASE, Endpoint, LEASE, acme, bulk, heard, id, ids, installation, later, provision_one, until};

/// How many events have to arrive, whoever is killed meanwhile.
const EVENTS: usize = 10_000;
const KILLS: u64 = 6;

/// A process that is killed at this writing effect of those that deliver: the first claims, the second records.
fn doomed(installation: &Installation, effect: usize) -> Tenantry {
    let point = format!("deliver {effect}:kill");
    installation.start_with(&[], &[("TENANTRY_TEST_CRASH_POINT", &point)])
}

/// Has the process do what it dies of, maybe before it answers.
fn provision_at_last(mut doomed: Tenantry, site: &Client) {
    let body = json!({ "userId": "ann", "configId": "demo-25k-eval-v1" });
    let mut site = doomed.client().with_bearer(site.bearer());
    let _ = site.request("POST", &format!("{BASE}/accounts")).json(&body).try_send();
    doomed.wait_for_exit();
}

/// With these, a tenant whose events this receiver hears.
fn told(installation: &Installation, receiver: &Receiver) -> (Client, Endpoint) {
    let tenantry = installation.start();
    let mut site = acme(&tenantry);
    let endpoint = Endpoint::new(&mut site, "acme", &receiver.url(), &["account.provisioned"]);
    (site, endpoint)
}

#[test]
fn what_was_committed_by_a_process_that_died_at_once_arrives() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let (site, endpoint) = told(&installation, &receiver);
        let doomed = doomed(&installation, 1);
        provision_at_last(doomed, &site);
        assert_eq!(receiver.count(), 0);
        let _next = installation.start();
        assert_eq!(endpoint.checked(&heard(&receiver, 1)[0])["type"], "account.provisioned");
    });
}

#[test]
fn what_was_being_sent_when_the_process_died_is_sent_again() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let (site, endpoint) = told(&installation, &receiver);
        receiver.fall_silent();
        let mut dying = installation.start();
        provision_one(&mut dying.client().with_bearer(site.bearer()), "ann");
        heard(&receiver, 1);
        dying.kill_hard();
        receiver.answer(204);
        let _next = later(&installation, LEASE);
        let calls = heard(&receiver, 2);
        assert_eq!((ids(&calls).len(), &calls[0].body), (1, &calls[1].body));
        endpoint.checked(&calls[1]);
    });
}

#[test]
fn what_had_arrived_when_the_process_died_comes_again_with_the_same_id() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let (site, endpoint) = told(&installation, &receiver);
        let doomed = doomed(&installation, 2);
        provision_at_last(doomed, &site);
        assert_eq!(receiver.count(), 1, "it was answered, and nobody wrote that down");
        let next = later(&installation, LEASE);
        let calls = heard(&receiver, 2);
        assert_eq!((ids(&calls).len(), &calls[0].body), (1, &calls[1].body));
        endpoint.checked(&calls[1]);
        // Now it is written down, and it does not come a third time.
        provision_one(&mut next.client().with_bearer(site.bearer()), "ben");
        let calls = heard(&receiver, 3);
        assert_ne!(id(&calls[1]), id(&calls[2]));
    });
}

#[test]
fn everything_arrives_whoever_is_killed_and_however_the_receiver_feels() {
    for_each_backend(|backend| {
        let (installation, receiver) = (installation(backend), Receiver::start());
        let (site, endpoint) = told(&installation, &receiver);
        let begun = Instant::now();
        receiver.refuse_every(7);
        let key = site.bearer();
        let mut ahead = 0;
        let mut missing: BTreeSet<usize> = (0..EVENTS / 1_000).collect();
        for kill in 0..KILLS {
            let mut tenantry = later(&installation, ahead);
            let mut site = tenantry.client().with_bearer(key);
            // Some earlier, some later; whatever the machine is doing makes it random enough.
            let delay = Duration::from_millis(400 + 377 * (kill * 5 % 7));
            let pid = tenantry.pid();
            thread::scope(|scope| {
                scope.spawn(move || {
                    thread::sleep(delay);
                    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
                    assert!(killed.unwrap().success());
                });
                missing.retain(|part| !provisioned(&mut site, *part));
            });
            tenantry.wait_for_exit();
            ahead += LEASE;
        }
        {
            let calm = later(&installation, ahead);
            let mut site = calm.client().with_bearer(key);
            missing.retain(|part| !provisioned(&mut site, *part));
            assert!(missing.is_empty());
            until("nearly everything has arrived", || arrived(&receiver).len() > EVENTS * 9 / 10);
        }
        // What was refused twice is tried again after five minutes.
        receiver.refuse_every(0);
        let _next = later(&installation, ahead + LEASE + 400);
        until("everything has arrived", || arrived(&receiver).len() == EVENTS);
        let calls = receiver.calls();
        let webhook = Webhook::new(&endpoint.secret).unwrap();
        for call in &calls {
            let at = call.header("webhook-timestamp").unwrap().parse().unwrap();
            let signature = webhook.sign(id(call), at, &call.body).unwrap();
            assert_eq!(call.header("webhook-signature"), Some(signature.as_str()));
        }
        let took = begun.elapsed();
        println!("{took:.1?}: {} calls for {EVENTS} events, {KILLS} kills", calls.len());
    });
}

/// Provisions some accounts; whether there was an answer. Those that are there already are not provisioned again.
fn provisioned(site: &mut Client, part: usize) -> bool {
    let body = bulk(&format!("part-{part}"), 1_000);
    let answer = site.request("POST", &format!("{BASE}/accounts/bulk")).json(&body).try_send();
    answer.is_ok_and(|answer| answer.expect(200).json()["refused"] == 0)
}

/// The users of the events that were taken.
fn arrived(receiver: &Receiver) -> BTreeSet<String> {
    let taken = receiver.calls().into_iter().filter(|call| call.status == 204);
    let user = |body: &[u8]| {
        let event: Value = serde_json::from_slice(body).unwrap();
        event["data"]["userId"].as_str().unwrap().to_owned()
    };
    taken.map(|call| user(&call.body)).collect()
}
