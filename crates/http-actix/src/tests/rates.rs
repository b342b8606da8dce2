//! How much is taken from one tenant and from each of its callers.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans, QuotaKind};
use tenantry_ports::Scope;
use tenantry_security::ValicoCheck;
use tenantry_testkit::TestPlatform;
use tenantry_usecases::{Policy, signing_keys};

use super::structured::{Item, list};
use super::{Reply, World, authorised};

const PATH: &str = "/api/v1/tenants/acme/accounts";
const SETTINGS: &str = "/api/v1/tenants/acme/settings";

/// A world every plan of which gives 60 requests a minute, 8 at once; half of it to one caller.
fn world() -> World {
    let allowance = Allowance::new(|kind| match kind {
        QuotaKind::Requests => Limit::AtMost(60),
        _ => Limit::Unlimited,
    });
    let plans = Plans::new(|_| PlanLimits { allowance, burst: 8 });
    World::on(TestPlatform::with(Policy { plans, ..Policy::default() }, Arc::new(ValicoCheck)))
}

/// A policy's item: its name and its parameters.
fn item(name: &str, parameters: &[(&str, i64)]) -> Item {
    let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), *value));
    Item { name: name.to_owned(), parameters: parameters.collect() }
}

fn fields(reply: &Reply) -> (Vec<Item>, Vec<Item>) {
    let field = |name| list(reply.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers)));
    (field("ratelimit-policy"), field("ratelimit"))
}

/// How many of so many requests are let through.
async fn taken(world: &World, credential: &str, count: usize) -> usize {
    let mut taken = 0;
    for _ in 0..count {
        taken += usize::from(world.get(PATH, credential).await.status != StatusCode::TOO_MANY_REQUESTS);
    }
    taken
}

#[actix_web::test]
async fn every_answer_says_how_tenant_and_caller_stand() {
    let world = world();
    let (tenant, key) = world.tenant_and_key("acme");
    let narrow = world.key(Some(tenant), &[Scope::ConfigsRead]);
    world.tenant("other");
    let policies = [item("tenant", &[("q", 8), ("w", 8)]), item("caller", &[("q", 4), ("w", 8)])];
    for (number, (path, credential, status)) in [
        (PATH, &key, 200),
        ("/api/v1/tenants/acme/accounts/acc_0195c0de00007000800000000000000a", &key, 404),
        (PATH, &narrow, 403),
        ("/api/v1/tenants/other/accounts", &narrow, 403),
        ("/api/v1/tenants", &narrow, 403),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.get(path, credential).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let (policy, stands) = fields(&reply);
        assert_eq!(policy, policies, "{path}");
        let number = number as i64 + 1;
        let own = if *credential == key { number } else { number - 2 };
        let expected = [
            item("tenant", &[("r", 8 - number), ("t", number)]),
            item("caller", &[("r", 4 - own), ("t", 2 * own)]),
        ];
        assert_eq!(stands, expected, "{path}");
    }
    let without = world.get(PATH, "").await;
    assert!(without.header("ratelimit").is_none(), "nobody's limit is told to nobody");
}

#[actix_web::test]
async fn one_caller_takes_half_and_all_together_the_whole() {
    let world = world();
    let (tenant, key) = world.tenant_and_key("acme");
    assert_eq!(taken(&world, &key, 9).await, 4);
    let refused = world.get(PATH, &key).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let problem = refused.problem("rate_limited");
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["violated-policies"], json!(["caller"]));
    let (_, stands) = fields(&refused);
    assert_eq!(stands[1], item("caller", &[("r", 0), ("t", 2)]));
    assert_eq!(refused.header("retry-after"), Some("2"), "the time that `t` says");

    let others = [world.key(Some(tenant), &Scope::ALL), world.key(Some(tenant), &Scope::ALL)];
    assert_eq!(taken(&world, &others[0], 9).await, 4);
    let refused = world.get(PATH, &others[1]).await;
    assert_eq!(refused.problem("rate_limited")["violated-policies"], json!(["tenant"]));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(fields(&refused).1[0], item("tenant", &[("r", 0), ("t", 1)]));

    world.test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(taken(&world, &others[1], 3).await, 1);
    world.test.clock.advance(TimeDelta::minutes(10));
    assert_eq!(
        taken(&world, &others[1], 9).await,
        4,
        "what the tenant's limit refused cost the caller nothing"
    );
}

/// What a credential's holder has taken of their own part and may take still, after one request more.
async fn own(world: &World, path: &str, credential: &str) -> Item {
    let reply = world.get(path, credential).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    fields(&reply).1.remove(1)
}

#[actix_web::test]
async fn a_token_that_was_got_with_a_key_is_counted_as_the_key() {
    let world = world();
    let (tenant, key) = world.tenant_and_key("acme");
    signing_keys::ensure(world.platform()).unwrap();
    let id = tenantry_usecases::api_keys::list(world.platform(), Some(tenant)).unwrap()[0].id.to_string();
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &key)];
    let ask = || world.send(TestRequest::post().uri("/oauth/token").set_form(form));
    let issued = ask().await;
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    let stands = |left| item("caller", &[("r", left), ("t", 2 * (4 - left))]);
    assert_eq!(fields(&issued).1[1], stands(3), "getting it counts, too");
    assert_eq!(own(&world, PATH, &token).await, stands(2));
    assert_eq!(own(&world, PATH, &key).await, stands(1));
    assert_eq!(own(&world, PATH, &token).await, stands(0));
    for refused in [world.get(PATH, &key).await, world.get(PATH, &token).await, ask().await] {
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.problem("rate_limited")["violated-policies"], json!(["caller"]));
    }
}

#[actix_web::test]
async fn a_person_is_one_caller_wherever_they_signed_in() {
    let world = world();
    world.tenant_with_admin("acme");
    let (here, there) = (world.admin("acme").await, world.admin("acme").await);
    let bob = json!({ "email": "bob@acme.com", "password": "SecurePassword123!", "role": "ADMIN" });
    let registered = world.post("/api/v1/acme/auth/register", &world.operator(), &bob).await.json();
    let bob = registered["accessToken"].as_str().unwrap();
    let me = "/api/v1/acme/auth/me";
    let stands = |left| item("caller", &[("r", left), ("t", 2 * (4 - left))]);
    assert_ne!(here, there);
    assert_eq!(own(&world, me, &here).await, stands(3));
    assert_eq!(own(&world, me, &there).await, stands(2));
    assert_eq!(own(&world, PATH, &here).await, stands(1));
    assert_eq!(own(&world, me, bob).await, stands(3), "another person is another caller");
}

#[actix_web::test]
async fn neither_other_tenants_nor_the_operator_notice() {
    let world = world();
    let ((_, key), (_, other)) = (world.tenant_and_key("acme"), world.tenant_and_key("other"));
    assert_eq!(taken(&world, &key, 9).await, 4);
    let operator = world.operator();
    for _ in 0..20 {
        let reply = world.get(PATH, &operator).await;
        assert_eq!((reply.status, reply.header("ratelimit")), (StatusCode::OK, None));
    }
    let reply = world.get("/api/v1/tenants/other/accounts", &other).await;
    assert_eq!(fields(&reply).1[0], item("tenant", &[("r", 7), ("t", 1)]));
    // Whoever knocks at another's door does so on their own account.
    let reply = world.get(PATH, &other).await;
    assert_eq!(
        (reply.status, fields(&reply).1[0].clone()),
        (StatusCode::FORBIDDEN, item("tenant", &[("r", 6), ("t", 2)]))
    );
}

#[actix_web::test]
async fn another_rate_counts_at_once_where_it_was_set_and_soon_elsewhere() {
    let world = world();
    let (_, key) = world.tenant_and_key("acme");
    let replica = world.replica();
    assert_eq!(taken(&replica, &key, 1).await, 1);
    let wider = json!({ "quotas": { "requestsPerMinute": 600 } });
    let put = authorised(TestRequest::put().uri(SETTINGS).set_json(&wider), &world.operator());
    assert_eq!(world.send(put).await.status, StatusCode::OK);
    let (policy, _) = fields(&world.get(PATH, &key).await);
    assert_eq!(policy[0], item("tenant", &[("q", 80), ("w", 8)]), "what is taken at once goes with the rate");
    let (before, _) = fields(&replica.get(PATH, &key).await);
    assert_eq!(before[0], item("tenant", &[("q", 8), ("w", 8)]));
    world.test.clock.advance(TimeDelta::seconds(5));
    assert_eq!(fields(&replica.get(PATH, &key).await).0, policy);
    let lifted = json!({ "quotas": { "requestsPerMinute": "unlimited" } });
    let put = authorised(TestRequest::put().uri(SETTINGS).set_json(&lifted), &world.operator());
    assert_eq!(world.send(put).await.status, StatusCode::OK);
    assert_eq!(world.get(PATH, &key).await.header("ratelimit"), None);
    assert_eq!(taken(&world, &key, 100).await, 100);
}

#[actix_web::test]
async fn replicas_share_a_tenants_rate() {
    let world = world();
    let (tenant, _) = world.tenant_and_key("acme");
    let replicas = [world.replica(), world.replica(), world.replica()];
    let key = || world.key(Some(tenant), &Scope::ALL);
    let keys = [key(), key(), key()];
    let announce = || replicas.iter().for_each(|replica| replica.state.announce());
    announce();
    announce();
    let mut at_once = 0;
    for (replica, key) in replicas.iter().zip(&keys) {
        at_once += taken(replica, key, 20).await;
    }
    assert!((3..=8).contains(&at_once), "{at_once} of 8 at once");
    // Half a minute of more than is taken, everywhere.
    let mut let_in = 0;
    for second in 0..30 {
        if second % 3 == 0 {
            announce();
        }
        world.test.clock.advance(TimeDelta::seconds(1));
        for (replica, key) in replicas.iter().zip(&keys) {
            let_in += taken(replica, key, 2).await;
        }
    }
    assert!((20..=33).contains(&let_in), "{let_in} of 30");
    for stopped in &replicas[1..] {
        stopped.state.withdraw();
    }
    world.test.clock.advance(TimeDelta::minutes(1));
    replicas[0].state.announce();
    let alone = taken(&replicas[0], &keys[0], 20).await;
    assert_eq!(alone, 4, "who is left alone has the whole");
}

#[actix_web::test]
async fn usage_says_how_many_requests_came() {
    let world = world();
    let (_, key) = world.tenant_and_key("acme");
    assert_eq!(taken(&world, &key, 2).await, 2);
    let usage = world.get("/api/v1/tenants/acme/usage", &key).await.json();
    let expected = json!({ "quota": 60, "used": 3, "resetAt": "2026-03-01T12:00:03.123Z" });
    assert_eq!(usage["requestsPerMinute"], expected);
}
