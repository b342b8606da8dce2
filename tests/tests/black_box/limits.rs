//! Quotas and rates of tenants, kept by several processes together.

use std::collections::BTreeMap;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_tests::{Installation, PATIENCE, Response, Tenantry, for_each_backend};

use crate::steps::{config, count_accounts, tenant, website};

const PROCESSES: usize = 3;

/// So many callers at once, spread over the processes: how often each status was answered. Whoever is told to come again
/// does so.
fn at_once(
    processes: &[Tenantry],
    callers: usize,
    key: &str,
    path: &str,
    body: impl Fn(usize) -> Value + Sync,
) -> BTreeMap<u16, usize> {
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|caller| {
                let body = &body;
                scope.spawn(move || {
                    let mut client = processes[caller % PROCESSES].client().with_bearer(key);
                    for _ in 0..100 {
                        let answer = client.post(path, &body(caller));
                        if answer.status != 503 {
                            return answer.status;
                        }
                    }
                    panic!("caller {caller} was never let in")
                })
            })
            .collect();
        threads.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let mut counted = BTreeMap::new();
    for status in answers {
        *counted.entry(status).or_default() += 1;
    }
    counted
}

#[test]
fn of_a_hundred_who_want_the_last_free_place_one_gets_it() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let processes: Vec<_> = (0..PROCESSES).map(|_| installation.start()).collect();
        tenant(&processes[0], "acme");
        let mut website = website(&processes[0], "acme");
        let mut operator = processes[0].operator();
        let settings = "/api/v1/tenants/acme/settings";
        let quotas =
            json!({ "quotas": { "maxAccounts": 2, "maxConfigs": 3, "maxApiKeys": 3, "maxUsers": 2 } });
        operator.request("PUT", settings).json(&quotas).send().expect(200);
        let wish = |user: usize| json!({ "userId": format!("user-{user}"), "configId": "demo-25k-eval-v1" });
        website.post("/api/v1/tenants/acme/accounts", &wish(1000)).expect(201);
        website.post("/api/v1/tenants/acme/configs", &config("own-v1")).expect(201);
        let key = |caller: usize| json!({ "name": format!("key {caller}"), "scopes": ["accounts:read"] });
        operator.post("/api/v1/tenants/acme/api-keys", &key(1000)).expect(201);

        let one = |callers: usize| BTreeMap::from([(201, 1), (422, callers - 1)]);
        let own = website.bearer().to_owned();
        assert_eq!(
            at_once(&processes, 100, &own, "/api/v1/tenants/acme/accounts", wish),
            one(100),
            "accounts"
        );
        let named = |caller: usize| config(&format!("wish-v{caller}"));
        assert_eq!(at_once(&processes, 30, &own, "/api/v1/tenants/acme/configs", named), one(30), "configs");
        let operators = operator.bearer().to_owned();
        assert_eq!(
            at_once(&processes, 30, &operators, "/api/v1/tenants/acme/api-keys", key),
            one(30),
            "keys"
        );
        let person = |caller: usize| json!({ "email": format!("person-{caller}@acme.example"), "password": "SecurePassword123!" });
        let register = "/api/v1/acme/auth/register";
        operator.post(register, &person(1000)).expect(201);
        assert_eq!(at_once(&processes, 12, &operators, register, person), one(12), "people");

        assert_eq!(count_accounts(&mut website, "acme"), 2);
        let usage = operator.get("/api/v1/tenants/acme/usage").expect(200).json();
        for (what, used) in [("accounts", 2), ("configs", 3), ("apiKeys", 3), ("users", 2)] {
            assert_eq!(usage[what]["used"], used, "{what}");
        }
        let refused = website.post("/api/v1/tenants/acme/accounts", &wish(2000)).expect(422).json();
        assert_eq!([&refused["code"], &refused["quota"]], ["quota_exceeded", "maxAccounts"]);
    });
}

/// How many more requests of the tenant the server says it takes now.
fn remaining(answer: &Response) -> usize {
    let field = answer.header("RateLimit").expect("the request is counted");
    let number = field.strip_prefix("\"tenant\";r=").and_then(|rest| rest.split(';').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{field}"))
}

/// Three processes keep a tenant's rate together, however unevenly the requests come: what is let in is what one would let in,
/// and at most a tenth more.
#[test]
fn three_processes_let_in_what_one_would() {
    const AT_ONCE: usize = 100;
    const PER_MINUTE: usize = 600;
    for_each_backend(|backend| {
        let settings = [
            ("TENANTRY__LIMITS__PLANS__PREMIUM__REQUESTS_PER_MINUTE", "600"),
            ("TENANTRY__LIMITS__PLANS__PREMIUM__BURST", "100"),
            ("TENANTRY__LIMITS__CALLER_PERCENT", "100"),
        ];
        let installation = Installation::with(backend, &settings);
        let processes: Vec<_> = (0..PROCESSES).map(|_| installation.start()).collect();
        tenant(&processes[0], "acme");
        let key = website(&processes[0], "acme").bearer().to_owned();
        let mut clients: Vec<_> =
            processes.iter().map(|process| process.client().with_bearer(&key)).collect();
        let path = "/api/v1/tenants/acme/accounts";
        let operator =
            |process: &Tenantry| process.operator().get("/api/v1/tenants/acme/usage").expect(200).json();
        for process in &processes {
            assert_eq!(operator(process)["requestsPerMinute"]["quota"], PER_MINUTE);
        }
        // Those who started first learn of the others at their next heartbeat.
        let begin = Instant::now();
        for client in &mut clients {
            while remaining(&client.get(path)) > AT_ONCE / PROCESSES {
                assert!(begin.elapsed() < PATIENCE, "they do not learn of each other");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let begin = Instant::now();
        let (mut let_in, mut refused) = (0, 0);
        while begin.elapsed() < Duration::from_secs(20) {
            // Two thirds of the requests go to one of them, and none to another.
            for number in [0, 0, 1] {
                match clients[number].get(path).status {
                    200 => let_in += 1,
                    429 => refused += 1,
                    other => panic!("{other}"),
                }
            }
        }
        let passed = begin.elapsed().as_secs_f64();
        let whole = AT_ONCE as f64 + PER_MINUTE as f64 / 60.0 * passed;
        assert!(refused > let_in, "{refused} refused, {let_in} let in: there was nothing to limit");
        assert!(f64::from(let_in) <= whole * 1.1, "{let_in} let in, {whole:.0} at most");
        assert!(
            f64::from(let_in) >= PER_MINUTE as f64 / 60.0 * passed * 0.7,
            "{let_in} let in of {whole:.0}"
        );
    });
}
