//! What bodies name, where paths name nothing: there, too, another tenant's things are what never was.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_ports::Scope;

use super::super::{World, authorised, config};
use super::callers::{tenant_of, token};
use super::canaries::{Furnished, nothing_in};
use super::visible;

/// A request for a body that names a thing of this kind by this id.
struct Request {
    method: Method,
    path: &'static str,
    thing: &'static str,
    body: fn(&str) -> Value,
}

const REQUESTS: [Request; 3] = [
    Request {
        method: Method::POST,
        path: "/api/v1/tenants/beta/accounts",
        thing: "configId",
        body: |id| json!({ "userId": "user-1", "configId": id }),
    },
    Request {
        method: Method::PUT,
        path: "/api/v1/tenants/beta/settings",
        thing: "configId",
        body: |id| json!({ "allowedConfigs": [id] }),
    },
    Request {
        method: Method::POST,
        path: "/api/v1/tenants/beta/configs",
        thing: "configId",
        body: |id| {
            let mut document = config("child-v1");
            document["parentConfigId"] = json!(id);
            document
        },
    },
];

#[actix_web::test]
async fn a_foreign_thing_that_a_body_names_cannot_be_told_from_none() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    Furnished::tenant(&world, "beta").await;
    let key = world.key(Some(tenant_of(&world, "beta")), &Scope::ALL);
    // Somebody else's key is known to the token endpoint by its id alone.
    token(&world, &key, &Scope::ALL);
    let client = |id: &str| {
        let form =
            [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", &key)].map(owned);
        TestRequest::post().uri("/oauth/token").set_form(form)
    };
    let nothing = nothing_in("beta");
    let id =
        |place: &[(&str, String)], thing| place.iter().find(|(name, _)| *name == thing).unwrap().1.clone();
    let things = REQUESTS.iter().map(Some).chain([None]);
    for request in things {
        let mut seen = Vec::new();
        for place in [&acme.place, &nothing] {
            let id = id(place, request.map_or("keyId", |request| request.thing));
            let sent = match request {
                None => client(&id),
                Some(Request { method, path, body, .. }) => {
                    let sent = TestRequest::default().method(method.clone()).uri(path).set_json(body(&id));
                    authorised(sent, &key)
                }
            };
            let reply = world.send(sent).await;
            assert!(reply.status.is_client_error(), "{} {:?}", reply.status, reply.bytes);
            acme.assert_unseen(&reply);
            let (status, body, headers) = visible(&reply);
            // Which one was named is the caller's own word.
            seen.push((status, body.to_string().replace(&id, "…"), headers));
        }
        assert_eq!(seen[0], seen[1]);
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
