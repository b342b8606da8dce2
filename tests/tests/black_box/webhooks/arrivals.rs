//! One process, and what becomes of what it sends.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tenantry_tests::{Receiver, for_each_backend};

use super::{BASE, Endpoint, acme, checked, heard, installation, provision, provision_one, until};

#[test]
fn an_endpoint_hears_signed_of_what_it_wants_in_the_order_of_each_account() {
    for_each_backend(|backend| {
        let (tenantry, receiver) = (installation(backend).start(), Receiver::start());
        let mut site = acme(&tenantry);
        provision(&mut site, "before", 3);
        let endpoint = Endpoint::new(&mut site, "acme", &receiver.url(), &["account.*"]);
        let account = provision_one(&mut site, "Jörg");
        for status in ["disabled", "enabled", "disabled"] {
            let path = format!("{BASE}/accounts/{account}");
            site.request("PUT", &path).json(&json!({ "status": status })).send().expect(200);
        }
        provision(&mut site, "after", 150);
        let calls = heard(&receiver, 154);
        let events: Vec<_> = calls.iter().map(|call| endpoint.checked(call)).collect();
        let of_account: Vec<_> = events.iter().filter(|event| event["accountId"] == *account).collect();
        assert_eq!(of_account.len(), 4);
        assert_eq!(of_account[0]["type"], "account.provisioned");
        let place = |event: &Value| event["meta"]["sequence"].as_i64().unwrap();
        assert!(of_account.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
        let last = &calls[events.iter().position(|event| event == *of_account.last().unwrap()).unwrap()];
        assert_eq!(
            (last.line.as_str(), last.header("Content-Type")),
            ("POST /hooks HTTP/1.1", Some("application/json"))
        );
        let stranger = Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let timestamp = last.header("webhook-timestamp").unwrap().parse().unwrap();
        let forged = stranger.sign(last.header("webhook-id").unwrap(), timestamp, &last.body).unwrap();
        assert_ne!(last.header("webhook-signature"), Some(forged.as_str()));
        // It hears of nothing twice, also when more happens.
        provision_one(&mut site, "another");
        assert_eq!(super::ids(&heard(&receiver, 155)).len(), 155);
        assert!(!tenantry.log().contains(&endpoint.secret[6..]), "a secret is in the log");
    });
}

#[test]
fn what_was_refused_comes_again_with_the_same_id_and_body_before_what_came_later() {
    for_each_backend(|backend| {
        let (tenantry, receiver) = (installation(backend).start(), Receiver::start());
        let mut site = acme(&tenantry);
        let endpoint = Endpoint::new(&mut site, "acme", &receiver.url(), &["account.*"]);
        receiver.answer(500);
        let account = provision_one(&mut site, "ann");
        let first = heard(&receiver, 1).remove(0);
        receiver.answer(200);
        let path = format!("{BASE}/accounts/{account}");
        site.request("PUT", &path).json(&json!({ "status": "disabled" })).send().expect(200);
        let calls = heard(&receiver, 3);
        let (second, third) = (&calls[1], &calls[2]);
        assert_eq!((super::id(second), &second.body), (super::id(&first), &first.body));
        let waited = (second.at - first.at).as_secs_f64();
        assert!((3.9..9.0).contains(&waited), "after {waited} s");
        assert_ne!(first.header("webhook-timestamp"), second.header("webhook-timestamp"));
        let (earlier, later) = (endpoint.checked(second), endpoint.checked(third));
        assert_eq!((&earlier["accountId"], &later["accountId"]), (&json!(account), &json!(account)));
        assert!(earlier["meta"]["sequence"].as_i64() < later["meta"]["sequence"].as_i64());
    });
}

#[test]
fn who_answers_that_it_is_gone_hears_no_more() {
    for_each_backend(|backend| {
        let (tenantry, receiver) = (installation(backend).start(), Receiver::start());
        let mut site = acme(&tenantry);
        let endpoint = Endpoint::new(&mut site, "acme", &receiver.url(), &["account.*"]);
        receiver.answer(410);
        provision_one(&mut site, "ann");
        heard(&receiver, 1);
        let key = site.bearer().to_owned();
        let state = || {
            let mut site = tenantry.client().with_bearer(&key);
            site.get(&endpoint.path).expect(200).json()
        };
        until("it is disabled", || state()["enabled"] == false);
        provision_one(&mut site, "ben");
        // Another endpoint hears of it, so whoever delivers has looked.
        let other = Receiver::start();
        Endpoint::new(&mut site, "acme", &other.url(), &["account.*"]);
        provision_one(&mut site, "eve");
        heard(&other, 1);
        assert_eq!(receiver.count(), 1, "{}", state());
    });
}

#[test]
fn while_a_secret_changes_over_calls_carry_two_signatures() {
    for_each_backend(|backend| {
        let (tenantry, receiver) = (installation(backend).start(), Receiver::start());
        let mut site = acme(&tenantry);
        let endpoint = Endpoint::new(&mut site, "acme", &receiver.url(), &[]);
        let rotate = format!("{}/rotate-secret", endpoint.path);
        let rotated = site.post(&rotate, &json!({})).expect(200).json();
        let new = rotated["secret"].as_str().unwrap();
        assert_ne!(new, endpoint.secret);
        until("the rotation was told of", || receiver.count() == 1);
        provision_one(&mut site, "ann");
        for call in heard(&receiver, 2) {
            assert_eq!(call.header("webhook-signature").unwrap().split(' ').count(), 2);
            assert_eq!(checked(&call, new), checked(&call, &endpoint.secret));
        }
    });
}
