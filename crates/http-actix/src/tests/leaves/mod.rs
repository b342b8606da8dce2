//! Every operation of the document that changes something leaves its events, in their order, with what is described in them.
//!
//! [`table`] says of each operation which those are; an operation that is missing there fails the tests.

mod scene;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;
use tenantry_domain::event::Event;
use tenantry_usecases::events::catalogue;

use super::document::events::findings;
use crate::{Access, HttpSettings};
use scene::Scene;
use table::{Left, ROWS};

/// The operations that are no mere look: their ids, and the methods and paths that they are called with.
fn operations() -> Vec<(String, String, String)> {
    let document = crate::openapi(&HttpSettings::default(), Access::Open);
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if method != "get" && !id.ends_with("AtRoot") {
                found.push((id.to_owned(), method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

#[test]
fn every_operation_that_may_change_something_has_a_row() {
    let documented: BTreeSet<_> = operations().into_iter().map(|(id, ..)| id).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.operation.to_owned()).collect();
    let missing: Vec<_> = documented.difference(&rows).collect();
    assert!(missing.is_empty(), "tests/leaves/table.rs does not say which events these leave: {missing:?}");
    let unknown: Vec<_> = rows.difference(&documented).collect();
    assert!(unknown.is_empty(), "not in the document: {unknown:?}");
    assert_eq!(rows.len(), ROWS.len(), "an operation has two rows");
}

#[actix_web::test]
async fn every_operation_leaves_the_events_that_its_row_says_and_no_others() {
    let mut scene = Scene::new().await;
    let (operations, described) = (operations(), catalogue());
    let mut wrong = Vec::new();
    for row in ROWS {
        let (_, method, path) = operations.iter().find(|(id, ..)| id == row.operation).unwrap();
        scene.prepare(row).await;
        let (log, platform, told) = (scene.log(), scene.platform_log(), scene.told());
        let reply = scene.send(row, method, path).await;
        let fine = reply.status.is_success() || row.refused.is_some_and(|code| reply.json()["code"] == code);
        if !fine {
            wrong.push(format!("{}: {} {:?}", row.operation, reply.status, reply.bytes));
            continue;
        }
        let events = scene.log().split_off(log.len());
        let of_platform = scene.platform_log().split_off(platform.len());
        for event in events.iter().chain(&of_platform) {
            let described =
                described.iter().find(|described| described.event_type == event.event_type).unwrap();
            assert_eq!(findings(described, &event.data), [], "{event:?}");
        }
        let types =
            |events: &[Event]| events.iter().map(|event| event.event_type.to_string()).collect::<Vec<_>>();
        let left = (types(&events), types(&of_platform));
        let (in_log, in_platform_log): (&[&str], &[&str]) = match row.left {
            Left::InLog(types) => (types, &[]),
            Left::InPlatformLog(types) => (&[], types),
            Left::Nothing(_) => (&[], &[]),
        };
        if left.0 != in_log || left.1 != in_platform_log {
            wrong.push(format!("{}: {left:?} instead of {:?}", row.operation, row.left));
        }
        let told = scene.told().split_off(told.len());
        let outside = of_platform.iter().filter(|event| event.event_type.as_str().starts_with("tenant."));
        let outside: Vec<_> = outside.map(|event| (event.id, event.event_type.to_string())).collect();
        if told != outside {
            wrong.push(format!("{}: told outside was {told:?} instead of {outside:?}", row.operation));
        }
        if let Ok(answer) = serde_json::from_slice::<Value>(&reply.bytes) {
            scene.learn(row.operation, &answer);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
