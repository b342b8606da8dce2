//! What the document says of events, and that they are so.

use serde_json::{Value, json};
use tenantry_domain::Finding;
use tenantry_ports::{SchemaCheck as _, SchemaSource};
use tenantry_security::ValicoCheck;
use tenantry_usecases::events::{Described, catalogue};

use super::super::{World, config, post};
use super::document;
use crate::openapi::webhooks;

/// What is wrong with the `data` of an event of this type.
pub(in super::super) fn findings(described: &Described, data: &Value) -> Vec<Finding> {
    // One name each, as long as the tests run: compiled schemas are kept under it.
    let name = Box::leak(described.event_type.to_string().into_boxed_str());
    ValicoCheck.findings(&SchemaSource { name, generate: described.alone }, data)
}

#[test]
fn every_type_is_there_with_a_schema_and_an_example_that_keeps_to_it() {
    let document = document();
    let told = document["webhooks"].as_object().unwrap();
    assert_eq!(told.len(), catalogue().len());
    for described in catalogue() {
        let event_type = described.event_type.as_str();
        assert_eq!(findings(&described, &described.example), [], "{event_type}");
        let call = &told[event_type]["post"];
        assert_eq!(call["summary"], described.about);
        let content = &call["requestBody"]["content"]["application/json"];
        assert_eq!(content["schema"], webhooks::envelope(&described), "nothing of {event_type} was lost");
        assert_eq!(content["schema"]["properties"]["eventType"]["enum"], json!([event_type]));
        assert_eq!(content["example"]["data"], described.example);
        let mut example = content["example"].clone();
        assert_eq!(example.as_object_mut().unwrap().remove("type"), Some(json!(event_type)));
        let event: tenantry_domain::event::Event = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), example);
        let headers = call["parameters"].as_array().unwrap().iter().map(|header| &header["name"]);
        assert!(headers.eq(["webhook-id", "webhook-timestamp", "webhook-signature"].iter()));
    }
    assert_eq!(told.len(), catalogue().len());
}

#[test]
fn an_example_without_one_of_its_members_does_not_keep_to_the_schema() {
    for described in catalogue() {
        let mut poorer = described.example.clone();
        let member = poorer.as_object().unwrap().keys().next().unwrap().clone();
        // Of several shapes, the one of the example needs all of its members.
        let required =
            (described.alone)()["required"].as_array().is_none_or(|members| members.contains(&json!(member)));
        poorer.as_object_mut().unwrap().remove(&member);
        assert_eq!(findings(&described, &poorer).is_empty(), !required, "{} {member}", described.event_type);
    }
}

#[actix_web::test]
async fn what_is_written_is_what_is_described() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let operator = world.operator();
    let base = "/api/v1/tenants/acme";
    assert_eq!(world.post(&format!("{base}/configs"), &key, &config("own-v1")).await.status, 201);
    let account = json!({ "userId": "user-1", "configId": "own-v1" });
    assert_eq!(world.post(&format!("{base}/accounts"), &key, &account).await.status, 201);
    let settings = post(&format!("{base}/settings"), &operator)
        .method(actix_web::http::Method::PUT)
        .set_json(json!({ "quotas": { "maxUsers": 1 } }));
    assert_eq!(world.send(settings).await.status, 200);
    let person = json!({ "email": "ann@acme.com", "password": "SecurePassword123!", "role": "ADMIN" });
    let made = world.post("/api/v1/acme/auth/register", &operator, &person).await;
    assert_eq!(made.status, 201);
    let login = json!({ "email": "ann@acme.com", "password": "SecurePassword123!" });
    assert_eq!(world.post("/api/v1/acme/auth/login", "", &login).await.status, 200);
    let events = world.get(&format!("{base}/events?limit=200"), &key).await.json();
    let (kinds, mut seen) = (catalogue(), Vec::new());
    for event in events["items"].as_array().unwrap() {
        let described = kinds.iter().find(|described| event["eventType"] == described.event_type.as_str());
        let described = described.unwrap_or_else(|| panic!("{event}"));
        assert_eq!(findings(described, &event["data"]), [], "{event}");
        seen.push(described.event_type.as_str());
    }
    for event_type in
        ["config.uploaded", "account.provisioned", "settings.updated", "user.created", "session.started"]
    {
        assert!(seen.contains(&event_type), "{event_type}: {seen:?}");
    }
}
