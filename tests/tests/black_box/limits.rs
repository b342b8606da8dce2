//! Quotas and rates of tenants, kept by several processes together.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_tests::{Installation, Tenantry, for_each_backend};

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
        let quotas = json!({ "quotas": { "maxAccounts": 2, "maxConfigs": 3, "maxApiKeys": 3 } });
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

        assert_eq!(count_accounts(&mut website, "acme"), 2);
        let usage = operator.get("/api/v1/tenants/acme/usage").expect(200).json();
        for (what, used) in [("accounts", 2), ("configs", 3), ("apiKeys", 3), ("users", 0)] {
            assert_eq!(usage[what]["used"], used, "{what}");
        }
        let refused = website.post("/api/v1/tenants/acme/accounts", &wish(2000)).expect(422).json();
        assert_eq!([&refused["code"], &refused["quota"]], ["quota_exceeded", "maxAccounts"]);
    });
}
