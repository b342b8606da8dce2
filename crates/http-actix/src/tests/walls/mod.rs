//! The walls between tenants: every operation of the document, tried by everybody who has no business there.
//!
//! [`table`] says of each operation what it takes to call it; an operation that is missing there fails the tests.

mod bodies;
mod callers;
mod canaries;
mod cookies;
mod ended;
mod members;
mod organisation;
mod table;

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{Reply, World, authorised};
use crate::{Access, HttpSettings};
use callers::{Callers, STRANGERS};
pub(super) use callers::{tenant_of, token};
use canaries::Furnished;
use table::{Kind, ROWS, Row};

/// A spelling of an operation in the document.
struct Operation {
    /// As in [`Row::operation`].
    id: String,
    method: String,
    /// With `{names}` in it.
    path: String,
    description: Value,
}

impl Operation {
    fn takes_a_form(&self) -> bool {
        self.description["requestBody"]["content"]["application/x-www-form-urlencoded"].is_object()
    }

    fn streams(&self) -> bool {
        self.description["responses"]["200"]["content"]["text/event-stream"].is_object()
    }

    /// Whether it can be called with nothing but what is made for it alone: a scheme that no caller's credential belongs to.
    fn asks_for_its_own(&self) -> bool {
        let needs = self.description["security"].as_array().unwrap();
        let own = |needs: &Value| {
            ["confirmToken", "client", "refreshToken"].iter().any(|own| needs[own].is_array())
        };
        needs.iter().any(own)
    }
}

fn document() -> Value {
    crate::openapi(&HttpSettings::default(), Access::Open)
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, description) in item.as_object().unwrap() {
            let id = description["operationId"].as_str().unwrap();
            found.push(Operation {
                id: id.strip_suffix("AtRoot").unwrap_or(id).to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                description: description.clone(),
            });
        }
    }
    found
}

/// Every operation that asks for a credential, with its row.
fn guarded() -> Vec<(Operation, &'static Row)> {
    let rows = operations().into_iter().map(|operation| {
        let row = ROWS.iter().find(|row| row.operation == operation.id);
        let row = row.unwrap_or_else(|| panic!("{}", how_to_add(&operation)));
        (operation, row)
    });
    rows.filter(|(_, row)| ![Kind::Public, Kind::Own].contains(&row.kind)).collect()
}

fn how_to_add(operation: &Operation) -> String {
    let Operation { id, method, path, .. } = operation;
    format!(
        "{method} {path} has no row in the walls' table: add `Row {{ operation: \"{id}\", kind: …, body: … }}` to \
         tests/walls/table.rs, and if its path names a new kind of thing, one of it to tests/walls/canaries.rs"
    )
}

/// Sends an operation as its row says, about the things given there.
async fn send(
    world: &World,
    operation: &Operation,
    row: &Row,
    place: &[(&str, String)],
    credential: &str,
) -> Reply {
    exchange(world, operation, place, row.body.map(|body| body()).as_ref(), credential).await
}

async fn exchange(
    world: &World,
    operation: &Operation,
    place: &[(&str, String)],
    body: Option<&Value>,
    credential: &str,
) -> Reply {
    let mut path = operation.path.clone();
    for (name, value) in place {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    assert!(!path.contains('{'), "{path}: tests/walls/canaries.rs has nothing of this kind");
    let request = TestRequest::default().method(operation.method.parse().unwrap()).uri(&path);
    let request = match body {
        Some(body) if operation.takes_a_form() => request.set_form(body),
        Some(body) => request.set_json(body),
        None => request,
    };
    let request = authorised(request, credential);
    // What never ends is looked at as far as it has come.
    if operation.streams() { world.begin(request).await } else { world.send(request).await }
}

/// A tenant with one of every kind of thing, and what stands for them in paths.
pub(super) async fn furnished(world: &World, slug: &str) -> Vec<(&'static str, String)> {
    Furnished::tenant(world, slug).await.place
}

/// What every operation answers to somebody who may call it, about things that there are, one after the other.
pub(super) async fn every_answer(world: &World) -> Vec<(String, Reply)> {
    let acme = Furnished::tenant(world, "acme").await;
    let callers = Callers::of(world, "acme").await;
    let mut answers = Vec::new();
    for operation in operations() {
        let row = ROWS.iter().find(|row| row.operation == operation.id).unwrap();
        let credential = callers.entitled(row.kind).remove(0);
        let reply = send(world, &operation, row, &acme.place, &credential).await;
        answers.push((format!("{} {}", operation.method, operation.path), reply));
    }
    answers
}

/// What a stranger can see of an answer: everything but what they sent themselves, and the request's id.
pub(super) fn visible(reply: &Reply) -> (StatusCode, Value, Vec<(String, String)>) {
    let mut body: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !["requestId", "instance"].contains(&name.as_str()));
    }
    let headers = reply.headers.iter().filter(|(name, _)| {
        // How one stands with one's own limit is another with every request.
        !["x-request-id", "ratelimit"].contains(&name.as_str())
    });
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (reply.status, body, headers)
}

#[test]
fn every_operation_of_the_document_has_a_row_and_every_row_an_operation() {
    let documented = operations();
    let missing: Vec<_> = documented
        .iter()
        .filter(|operation| !ROWS.iter().any(|row| row.operation == operation.id))
        .map(how_to_add)
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let ids: BTreeSet<&str> = documented.iter().map(|operation| operation.id.as_str()).collect();
    for row in ROWS {
        assert!(
            ids.contains(row.operation),
            "{} is in the table twice, or not in the document",
            row.operation
        );
    }
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.operation).collect();
    assert_eq!(rows.len(), ROWS.len());
    for operation in &documented {
        let row = ROWS.iter().find(|row| row.operation == operation.id).unwrap();
        assert_eq!(row.body.is_some(), operation.description["requestBody"].is_object(), "{}", operation.id);
        let open = operation.description["security"].as_array().unwrap().is_empty();
        assert_eq!(row.kind == Kind::Public, open, "{}", operation.id);
        assert_eq!(row.kind == Kind::Own, operation.asks_for_its_own(), "{}", operation.id);
    }
}

#[actix_web::test]
async fn nobody_gets_anywhere_without_a_credential() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    for (operation, row) in guarded() {
        let reply = send(&world, &operation, row, &acme.place, "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", operation.id);
        reply.problem("missing_authorization");
        acme.assert_unseen(&reply);
    }
}

/// A tenant that is there, one that was never there and one that is gone look alike to strangers, whoever they are.
#[actix_web::test]
async fn a_foreign_tenant_cannot_be_told_from_none() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let gone = Furnished::deleted(&world, "gone").await;
    Furnished::tenant(&world, "beta").await;
    let beta = Callers::of(&world, "beta").await;
    let tenants = [
        acme.slug.clone(),
        acme.id.to_string(),
        "nowhere".to_owned(),
        "ten_3fa85f6457174562b3fc2c963f66afa6".to_owned(),
        gone.slug.clone(),
        gone.id.to_string(),
    ];
    for (operation, row) in guarded() {
        if !operation.path.contains("{tenantId}") {
            continue;
        }
        for stranger in STRANGERS {
            let mut seen = Vec::new();
            for tenant in &tenants {
                let place = acme.place_in(tenant);
                let reply = send(&world, &operation, row, &place, &beta.credential(stranger)).await;
                let about =
                    format!("{} {} as {stranger:?} of another tenant", operation.method, operation.path);
                let code = if row.kind == Kind::Operator { "forbidden" } else { "wrong_tenant" };
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{about}");
                reply.problem(code);
                acme.assert_unseen(&reply);
                gone.assert_unseen(&reply);
                seen.push(visible(&reply));
            }
            seen.dedup();
            assert_eq!(seen.len(), 1, "{} as {stranger:?}: {seen:#?}", operation.id);
        }
    }
}

/// Below one's own tenant, what is another's is what never was: whatever else the path names is one's own.
#[actix_web::test]
async fn a_foreign_thing_cannot_be_told_from_none() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let own = Furnished::tenant(&world, "beta").await;
    let nothing = canaries::nothing_in("beta");
    let beta = Callers::of(&world, "beta").await;
    let mut tried = 0;
    for (operation, row) in guarded() {
        // A website's users are what the website calls so: nobody's are foreign.
        let own_word = |name: &str| name == "userId" && operation.path.contains("/accounts");
        let named = |name: &&str| {
            !["tenantId", "version"].contains(name)
                && !own_word(name)
                && operation.path.contains(&format!("{{{name}}}"))
        };
        let things: Vec<_> = acme.place.iter().map(|(name, _)| *name).filter(|name| named(name)).collect();
        if row.kind == Kind::Operator {
            continue;
        }
        tried += things.len();
        for (thing, credential) in things
            .into_iter()
            .flat_map(|thing| beta.entitled(row.kind).into_iter().map(move |by| (thing, by)))
        {
            let mut seen = Vec::new();
            for strange in [&acme.place, &nothing] {
                let id = &strange.iter().find(|(name, _)| *name == thing).unwrap().1;
                let place = own.place_with(thing, id);
                let reply = send(&world, &operation, row, &place, &credential).await;
                let about = format!("{} with another {thing}: {:?}", operation.id, reply.bytes);
                assert_eq!(reply.status, StatusCode::NOT_FOUND, "{about}");
                acme.assert_unseen(&reply);
                let (status, body, headers) = visible(&reply);
                // Which one was asked for is the caller's own word.
                seen.push((status, body.to_string().replace(id.as_str(), "…"), headers));
            }
            assert_eq!(seen[0], seen[1], "{} with another {thing}", operation.id);
        }
    }
    assert!(tried >= 10, "things that operations are about: {tried}");
}

/// The right tenant is not enough: a key needs the scope, a person the role.
#[actix_web::test]
async fn ones_own_tenant_is_no_licence() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let own = Callers::of(&world, "acme").await;
    for (operation, row) in guarded() {
        for (credential, code) in own.lacking(row.kind) {
            let reply = send(&world, &operation, row, &acme.place, &credential).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{} {}", operation.id, reply.json());
            reply.problem(code);
        }
    }
}

/// Whatever another tenant asks for, and however, nothing of this one is in any byte of any answer.
#[actix_web::test]
async fn no_canary_is_ever_seen_by_another_tenant() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    // The canaries are there to be seen.
    let own = Callers::of(&world, "acme").await;
    let user = &acme.place.iter().find(|(name, _)| *name == "userId").unwrap().1;
    for path in [
        "tenants/acme/accounts",
        "tenants/acme/api-keys",
        "tenants/acme/webhooks",
        "acme/users",
        "acme/config/basis",
        "acme/config/basis/history",
        "acme/config/processes",
        &format!("acme/users/{user}/sessions"),
    ] {
        let reply = world.get(&format!("/api/v1/{path}"), &own.credential(callers::Caller::Admin)).await;
        assert!(acme.is_seen(&reply), "{path}: {:?}", reply.bytes);
    }
    Furnished::tenant(&world, "beta").await;
    let beta = Callers::of(&world, "beta").await;
    let strangers = STRANGERS.map(|stranger| beta.credential(stranger)).into_iter().chain([String::new()]);
    let rows = || {
        let row = |id: &str| ROWS.iter().find(|row| row.operation == id).unwrap();
        let with_row = |operation: Operation| (row(&operation.id), operation);
        let mut rows: Vec<_> = operations().into_iter().map(with_row).collect();
        // Whoever signs out everywhere sees nothing afterwards.
        rows.sort_by_key(|(row, _)| row.operation == "endOwnSessions");
        rows
    };
    for credential in strangers {
        for tenant in ["acme", "beta"] {
            for (row, operation) in rows() {
                let reply = send(&world, &operation, row, &acme.place_in(tenant), &credential).await;
                acme.assert_unseen(&reply);
            }
        }
    }
}

/// What is only answered cannot be asked for: each member of an operation's answers, added to its request, is refused.
#[actix_web::test]
async fn what_is_only_answered_is_refused_in_requests() {
    let document = document();
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let callers = Callers::of(&world, "acme").await;
    let mut refused = 0;
    for operation in operations() {
        let row = ROWS.iter().find(|row| row.operation == operation.id).unwrap();
        let Some(body) = row.body else { continue };
        if operation.takes_a_form() {
            // What is not known of it is passed over, as OAuth has it (RFC 6749, 3.2).
            continue;
        }
        for member in members::only_answered(&document, &operation.description) {
            let credential = callers.entitled(row.kind).remove(0);
            let mut body = body();
            let place = if body.is_array() { "/0" } else { "" };
            let part = body.pointer_mut(place).unwrap();
            part[&member] = json!("x");
            let reply = exchange(&world, &operation, &acme.place, Some(&body), &credential).await;
            let told = reply.json();
            let findings = told["errors"].as_array().cloned().unwrap_or_default();
            let at = format!("{place}/{member}");
            assert!(
                findings
                    .iter()
                    .any(|finding| finding["pointer"] == at && finding["code"] == "unknown_member"),
                "{} takes {member}: {} {told}",
                operation.id,
                reply.status
            );
            refused += 1;
        }
    }
    assert!(refused > 40, "{refused}");
}
