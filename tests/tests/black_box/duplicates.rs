//! Requests that are sent twice, to different processes, one of which dies meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use tenantry_tests::{Backend, Client, Installation, Response, Tenantry, for_each_backend};

use crate::steps::{count_accounts, lift_limits, tenant, website};

/// How many requests are sent, each of them twice.
const ORDERS: usize = 10_000;
/// How many callers send them, and as many again for the second time.
const CALLERS: usize = 16;
const ACCOUNTS: &str = "/api/v1/tenants/acme/accounts";

/// Connections of a caller to every process, and where it sends the next request.
struct Caller {
    clients: Vec<Client>,
}

impl Caller {
    fn of(processes: &[Tenantry], key: &str) -> Self {
        Self { clients: processes.iter().map(|process| process.client().with_bearer(key)).collect() }
    }

    /// Sends the order, to another process where one does not answer.
    fn order(&mut self, number: usize, first: usize) -> Response {
        let body = json!({ "userId": format!("user-{number}"), "configId": "demo-25k-eval-v1" });
        let count = self.clients.len();
        for attempt in 0..2 * count {
            let client = &mut self.clients[(first + attempt) % count];
            let request = client.request("POST", ACCOUNTS);
            let request = request.header("Idempotency-Key", &format!("order-{number}")).json(&body);
            if let Ok(answer) = request.try_send() {
                return answer;
            }
        }
        panic!("nobody answers order {number}");
    }
}

#[test]
fn of_ten_thousand_duplicated_orders_to_three_processes_none_is_done_twice_though_one_is_killed() {
    let Some(backend) = Backend::postgres() else { return };
    let installation = Installation::new(backend);
    let processes = [installation.start(), installation.start(), installation.start()];
    tenant(&processes[0], "acme");
    lift_limits(&processes[0], "acme");
    let key = website(&processes[0], "acme").bearer().to_owned();

    let answered = AtomicUsize::new(0);
    let (next, again) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Everybody takes the next order of their round, so that both rounds are at about the same orders all the time.
    let round = |next: &AtomicUsize, offset: usize| {
        let mut caller = Caller::of(&processes, &key);
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ORDERS {
                return answers;
            }
            let answer = caller.order(number, number + offset).expect(201);
            answers.push((number, answer.body));
            if answered.fetch_add(1, Ordering::Relaxed) == ORDERS {
                processes[2].signal("KILL");
            }
        }
    };
    let mut answers: Vec<(usize, Vec<u8>)> = thread::scope(|scope| {
        let rounds = [(&next, 0), (&again, 1)];
        let callers: Vec<_> = (0..CALLERS)
            .flat_map(|_| rounds)
            .map(|(next, offset)| {
                let round = &round;
                scope.spawn(move || round(next, offset))
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });

    answers.sort_unstable();
    assert_eq!(answers.len(), 2 * ORDERS);
    for pair in answers.chunks(2) {
        assert_eq!(pair[0], pair[1], "both are given the same account, byte for byte");
    }
    let different: BTreeSet<_> = answers.iter().map(|(_, body)| body).collect();
    assert_eq!(different.len(), ORDERS);
    let mut website = processes[0].client().with_bearer(&key);
    assert_eq!(count_accounts(&mut website, "acme"), ORDERS);
}

#[test]
fn an_order_of_a_tenant_that_comes_again_is_answered_as_before_also_by_another_process() {
    for_each_backend(|backend| {
        let mut tenantry = Tenantry::start(backend);
        let admin = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
        for (path, order, status) in [
            ("/provision/tenants/init", json!({ "name": "Beta Ltd", "slug": "beta", "plan": "Basic" }), 200),
            ("/api/v1/tenants", json!({ "name": "Acme Ltd", "subdomain": "acme", "admin": admin }), 201),
        ] {
            let send = |tenantry: &Tenantry| {
                let mut client = tenantry.client();
                client.request("POST", path).header("Idempotency-Key", "order-1").json(&order).send()
            };
            let first = send(&tenantry).expect(status);
            tenantry.restart();
            for _ in 0..2 {
                let again = send(&tenantry).expect(status);
                assert_eq!(again.header("Idempotent-Replayed"), Some("true"), "{path}");
                assert_eq!(again.text(), first.text(), "{path}");
            }
            if let Some(token) = first.json()["confirmToken"].as_str() {
                let mut client = tenantry.client().with_bearer(token);
                client.request("POST", "/provision/tenants/confirm").send().expect(200);
                // The same token is no way to confirm twice.
                client.request("POST", "/provision/tenants/confirm").send().expect(409);
            }
        }
    });
}
