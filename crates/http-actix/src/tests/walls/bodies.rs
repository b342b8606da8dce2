//! What bodies name, where paths name nothing: there, too, another tenant's things are what never was.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_ports::Scope;

use super::super::{World, authorised, config};
use super::callers::{self, tenant_of, token};
use super::canaries::{Furnished, nothing_in};
use super::organisation;
use super::visible;

/// A request for a body that names a thing of this kind by this id.
struct Request {
    method: Method,
    path: &'static str,
    thing: &'static str,
    body: fn(&str) -> Value,
    /// What is found to be wrong with it.
    refusal: &'static str,
}

const REQUESTS: [Request; 9] = [
    Request {
        method: Method::POST,
        path: "/api/v1/tenants/beta/accounts",
        thing: "configId",
        body: |id| json!({ "userId": "user-1", "configId": id }),
        refusal: "unknown_config",
    },
    Request {
        method: Method::PUT,
        path: "/api/v1/tenants/beta/settings",
        thing: "configId",
        body: |id| json!({ "allowedConfigs": [id] }),
        refusal: "unknown_config",
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
        refusal: "parent_not_found",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/plants",
        thing: "companyCodeId",
        body: |id| json!({ "companyCodeId": id, "code": "NEW", "name": "New" }),
        refusal: "unknown_org_unit",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/storage-locations",
        thing: "plantId",
        body: |id| json!({ "plantId": id, "code": "NEW", "name": "New" }),
        refusal: "unknown_org_unit",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/purchasing-groups",
        thing: "purchasingOrgId",
        body: |id| json!({ "purchasingOrgId": id, "code": "NEW", "name": "New" }),
        refusal: "unknown_org_unit",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/porg-assignments",
        thing: "purchasingOrgId",
        body: |id| json!({ "purchasingOrgId": id, "plantId": organisation::PLANT }),
        refusal: "unknown_org_unit",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/porg-assignments",
        thing: "companyCodeId",
        body: |id| json!({ "purchasingOrgId": organisation::PURCHASING_ORG, "companyCodeId": id }),
        refusal: "unknown_org_unit",
    },
    Request {
        method: Method::POST,
        path: "/api/v1/beta/org/porg-assignments",
        thing: "plantId",
        body: |id| json!({ "purchasingOrgId": organisation::PURCHASING_ORG, "plantId": id }),
        refusal: "unknown_org_unit",
    },
];

#[actix_web::test]
async fn a_foreign_thing_that_a_body_names_cannot_be_told_from_none() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    Furnished::tenant(&world, "beta").await;
    let key = world.key(Some(tenant_of(&world, "beta")), &Scope::ALL);
    let admin = callers::register(&world, "beta", "boss", "ADMIN").await.token;
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
                    // An organisation is no machine's business.
                    authorised(sent, if path.contains("/org/") { &admin } else { &key })
                }
            };
            let reply = world.send(sent).await;
            let told = String::from_utf8_lossy(&reply.bytes).into_owned();
            assert!(told.contains(request.map_or("invalid_client", |request| request.refusal)), "{told}");
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
