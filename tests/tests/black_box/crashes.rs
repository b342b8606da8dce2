//! What is left after `kill -9`, and after being asked to stop.

use std::time::Duration;

use serde_json::json;
use tenantry_tests::{Tenantry, for_each_backend};

use crate::steps::{confirm, count_accounts, init, settled, tenant, website};

#[test]
fn a_process_killed_while_provisioning_carries_on_after_its_restart() {
    for_each_backend(|backend| {
        // Kills later and later, from before the first step to after the last.
        let mut tenantry = Tenantry::start(backend);
        let mut expected = Vec::new();
        for delay in [0, 5, 10, 20, 40, 80, 160] {
            let slug = format!("acme-{delay}");
            let (id, token) = init(&tenantry, &slug);
            confirm(&tenantry, &token);
            std::thread::sleep(Duration::from_millis(delay));
            tenantry.kill_hard();
            tenantry.restart();
            assert_eq!(settled(&tenantry, &id)["status"], "Active", "killed after {delay} ms");
            expected.push(format!("{}acme_{delay}", tenantry.installation().database_prefix()));
        }
        expected.sort_unstable();
        assert_eq!(tenantry.installation().tenant_databases(), expected, "and nothing else is left");
    });
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_nothing_twice() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let website = website(&tenantry, "acme");
        let key = website.bearer().to_owned();
        let path = "/api/v1/tenants/acme/accounts";
        let order = |tenantry: &Tenantry, number: usize| {
            let body = json!({ "userId": format!("user-{number}"), "configId": "demo-25k-eval-v1" });
            let mut client = tenantry.client().with_bearer(&key);
            let request = client.request("POST", path).header("Idempotency-Key", &format!("order-{number}"));
            request.json(&body).try_send()
        };
        let acknowledged: Vec<(usize, Vec<u8>)> = std::thread::scope(|scope| {
            let tenantry = &tenantry;
            let load = |part: usize| {
                let orders = (0..200).map(move |n| part * 200 + n);
                orders
                    .map_while(|n| order(tenantry, n).ok().map(|answer| (n, answer.expect(201).body)))
                    .collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..8).map(|part| scope.spawn(move || load(part))).collect();
            std::thread::sleep(Duration::from_millis(150));
            tenantry.signal("KILL");
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        tenantry.kill_hard();
        tenantry.restart();
        for (number, body) in &acknowledged {
            let again = order(&tenantry, *number).unwrap().expect(201);
            assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), body));
        }
        for number in 0..1600 {
            order(&tenantry, number).unwrap().expect(201);
        }
        let mut website = tenantry.client().with_bearer(&key);
        assert_eq!(count_accounts(&mut website, "acme"), 1600);
    });
}

#[test]
fn asked_to_stop_it_ends_well_and_a_queued_tenant_is_not_lost() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        let (id, token) = init(&tenantry, "acme");
        confirm(&tenantry, &token);
        assert!(tenantry.terminate().success());
        tenantry.restart();
        assert_eq!(settled(&tenantry, &id)["status"], "Active");
    });
}

#[test]
fn replicas_share_the_work_and_do_nothing_twice() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let replicas = [tenantry.installation().start(), tenantry.installation().start()];
        let pending: Vec<_> = (0..12)
            .map(|number| {
                let (id, token) = init(&tenantry, &format!("acme-{number}"));
                confirm(&replicas[number % 2], &token);
                id
            })
            .collect();
        for id in &pending {
            assert_eq!(settled(&tenantry, id)["status"], "Active");
        }
        assert_eq!(tenantry.installation().tenant_databases().len(), 12);
        let website = website(&tenantry, "acme-0");
        let key = website.bearer().to_owned();
        let answers: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let one = |replica: &Tenantry, number: usize| {
                let body = json!({ "userId": "user", "configId": "demo-25k-eval-v1" });
                let mut client = replica.client().with_bearer(&key);
                let request = client.request("POST", "/api/v1/tenants/acme-0/accounts");
                request
                    .header("Idempotency-Key", &format!("order-{}", number / 4))
                    .json(&body)
                    .send()
                    .expect(201)
                    .body
            };
            let threads: Vec<_> = (0..40)
                .map(|number| {
                    let replica = &replicas[number % 2];
                    scope.spawn(move || one(replica, number))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(answers.chunks(4).all(|same| same.windows(2).all(|pair| pair[0] == pair[1])));
        assert_eq!(count_accounts(&mut tenantry.client().with_bearer(&key), "acme-0"), 10);
    });
}
