//! What it says of how much is taken.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{codes, document, operations};
use crate::{Access, HttpSettings, RateLimit, RateLimits};

#[test]
fn it_says_of_every_limited_operation_how_much_is_taken_and_what_more_is_answered() {
    let rate_limits = RateLimits {
        orders: RateLimit { per_minute: 6, burst: 3 },
        status: RateLimit { per_minute: 50, burst: 100 },
        login: RateLimit::NONE,
    };
    let settings = HttpSettings { rate_limits, ..HttpSettings::default() };
    let document = crate::openapi(&settings, Access::Open);
    let orders = Some("`\"orders\";q=3;w=30`");
    let mut limited = BTreeSet::new();
    for (path, method, policy) in [
        ("/provision/tenants/init", "post", orders),
        ("/provision/tenants/confirm", "post", orders),
        ("/api/v1/tenants", "post", orders),
        ("/provision/tenants/{provisioningId}/status", "get", Some("`\"status\";q=100;w=120`")),
        ("/provision/tenants/{provisioningId}/status/stream", "get", Some("`\"status\";q=100;w=120`")),
        ("/api/v1/{tenantId}/auth/login", "post", None),
    ] {
        let operation = &document["paths"][path][method];
        let refusal = &operation["responses"]["429"];
        // Attempts to sign in are also counted by account.
        let expected = policy.map_or("too_many_attempts", |_| "rate_limited");
        assert_eq!(codes(refusal), [expected], "{path}");
        assert!(refusal["headers"]["Retry-After"].is_object(), "{path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let told = response["headers"]["RateLimit-Policy"]["description"].as_str();
            assert_eq!(
                told.map(|told| policy.is_some_and(|policy| told.contains(policy))),
                policy.map(|_| true)
            );
            assert_eq!(response["headers"]["RateLimit"].is_object(), policy.is_some(), "{path} {status}");
        }
        if policy.is_some() {
            limited.insert((path.to_owned(), method.to_uppercase()));
        }
    }
    let about = document["paths"]["/provision/tenants/init"]["post"]["description"].as_str().unwrap();
    assert!(about.contains("at most 3 requests at once and 6 a minute"), "{about}");
    for (path, method, operation) in operations(&document) {
        let is_limited = codes(&operation["responses"]["429"]).contains(&"rate_limited");
        let is_orderers = limited.contains(&(path.clone(), method.clone()));
        // Who calls for a tenant is counted by tenant and caller, machines that get a token for their key among them.
        let calls_for_a_tenant = |needs: &Value| {
            needs["bearer"][0].as_str().is_some_and(|need| need != "operator") || needs["client"].is_array()
        };
        let is_tenants =
            !is_orderers && operation["security"].as_array().unwrap().iter().any(calls_for_a_tenant);
        assert_eq!(is_limited, is_orderers || is_tenants, "{method} {path}");
        if is_tenants {
            let headers = &operation["responses"]["429"]["headers"];
            for (field, example) in [
                ("RateLimit-Policy", "\"tenant\";q=3000;w=6, \"caller\""),
                ("RateLimit", "\"tenant\";r=5;t=7"),
            ] {
                let about = headers[field]["description"].as_str().unwrap();
                assert!(about.contains(example), "{method} {path}: {about}");
            }
        }
    }
}

/// Getting a token is limited twice: by address like any attempt to sign in, and by tenant and key. OAuth has no form for
/// such an answer, so it is a problem.
#[test]
fn it_says_of_getting_a_token_both_of_its_limits() {
    let document = document();
    let token = &document["paths"]["/oauth/token"]["post"];
    assert_eq!(codes(&token["responses"]["429"]), ["rate_limited"]);
    for status in ["200", "400", "401", "429"] {
        for field in ["RateLimit-Policy", "RateLimit"] {
            let about = token["responses"][status]["headers"][field]["description"].as_str().unwrap();
            for policy in ["\"login\";", "\"tenant\";", "\"caller\";"] {
                assert!(about.contains(policy), "{status} {field}: {about}");
            }
        }
    }
}
