//! The versioned routes below another prefix: everything is as below the usual one, and nothing speaks of that.

use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::json;

use super::people::Browser;
use super::walls::{every_answer, furnished};
use super::{Reply, World, authorised};
use crate::{Access, HttpSettings};

const USUAL: &str = "/api/v1";

fn settings(prefix: &str) -> HttpSettings {
    let activation_wait = Duration::ZERO;
    HttpSettings { api_prefix: prefix.to_owned(), activation_wait, ..HttpSettings::default() }
}

/// Everything of an answer: headers and body.
fn text(reply: &Reply) -> String {
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    headers.collect::<String>() + &String::from_utf8_lossy(&reply.bytes)
}

#[actix_web::test]
async fn every_operation_is_the_same_below_another_prefix() {
    let usual = every_answer(&World::with(settings("api/v1"))).await;
    let other = every_answer(&World::with(settings("tenancy/v2"))).await;
    assert!(usual.len() > 50 && usual.len() == other.len(), "{} {}", usual.len(), other.len());
    let mut told = 0;
    for ((id, usual), (other_id, other)) in usual.iter().zip(&other) {
        assert_eq!(id, other_id);
        assert_eq!(usual.status, other.status, "{id}: {:?}", other.bytes);
        let (usual, other) = (text(usual), text(other));
        assert!(!other.contains(USUAL), "{id}: {other}");
        assert_eq!(usual.contains(USUAL), other.contains("/tenancy/v2"), "{id}: {other}");
        told += usize::from(other.contains("/tenancy/v2"));
    }
    // Problems name the path; so does what was made, and the document.
    assert!(told > 5, "{told}");
}

#[actix_web::test]
async fn cookies_and_locations_are_below_the_prefix() {
    for prefix in ["tenancy/v2", ""] {
        let world = World::with(settings(prefix));
        let below = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        world.tenant_with_admin("acme");
        let mut browser = Browser::new(&world);
        let signed_in = browser.login("admin@acme.com", "ChangeMe123!").await;
        let set = text(&signed_in);
        assert!(set.contains(&format!("Path={below}/acme/auth")), "{set}");
        assert_eq!(browser.refresh().await.status, 200);
        let body = json!({ "email": "bob@acme.com", "password": "SecurePassword123!" });
        let registered = world.post(&format!("{USUAL}/acme/auth/register"), &browser.access, &body).await;
        let location = registered.header("location").unwrap();
        assert!(location.starts_with(&format!("{below}/acme/users/usr_")), "{location}");
        assert_eq!(
            world.send_as_is(authorised(TestRequest::get().uri(location), &browser.access)).await.status,
            200
        );
        let missing = world.get(&format!("{USUAL}/config/basis"), "").await;
        let detail = missing.problem("missing_tenant_context")["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(&format!(" {below}/<tenant>/config/basis")), "{detail}");
    }
}

#[actix_web::test]
async fn nothing_is_left_below_the_usual_prefix() {
    let world = World::with(settings("tenancy/v2"));
    let acme = furnished(&world, "acme").await;
    let document = crate::openapi(&settings("tenancy/v2"), Access::Open);
    let mut tried = 0;
    for path in document["paths"].as_object().unwrap().keys() {
        let Some(rest) = path.strip_prefix("/tenancy/v2") else {
            assert!(!path.contains("/api/"), "{path}");
            continue;
        };
        let path =
            acme.iter().fold(rest.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        let request = TestRequest::get().uri(&format!("{USUAL}{path}"));
        world.send_as_is(request).await.problem("not_found");
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}
