//! Those of a tenant's own who were shut out of it.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;
use tenantry_ports::Scope;
use tenantry_usecases::access::{Principal, authenticate};

use super::super::{World, authorised};
use super::callers::{register, tenant_of, token};
use super::canaries::Furnished;
use super::{guarded, send};

/// Whose credentials worked until their session was ended or all of them were, they were disabled, or the key was revoked, which the token that
/// was got with it ends with.
async fn outcasts(world: &World, slug: &str) -> Vec<(&'static str, String)> {
    let operator = world.operator();
    let signed_out = register(world, slug, "signed-out", "ADMIN").await;
    let signed_out_everywhere = register(world, slug, "signed-out-everywhere", "ADMIN").await;
    let disabled = register(world, slug, "disabled", "ADMIN").await;
    let key = world.key(Some(tenant_of(world, slug)), &Scope::ALL);
    let got_with_it = token(world, &key, &Scope::ALL);
    let Some(Principal::Machine { key: key_id, .. }) = authenticate(world.platform(), &key).unwrap() else {
        panic!("it is a key")
    };
    let all = [
        ("an ended session", signed_out.token),
        ("one of several ended sessions", signed_out_everywhere.token),
        ("a disabled user", disabled.token),
        ("a revoked key", key),
        ("a revoked key's token", got_with_it),
    ];
    for (who, credential) in &all {
        let reply = world.get(&format!("/api/v1/tenants/{slug}/settings"), credential).await;
        assert_eq!(reply.status, StatusCode::OK, "{who}");
    }

    let sessions = format!("/api/v1/{slug}/users/{}/sessions", signed_out.id);
    let session = world.get(&sessions, &operator).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let delete = |path: &str| authorised(TestRequest::delete().uri(path), &operator);
    assert_eq!(world.send(delete(&format!("{sessions}/{session}"))).await.status, StatusCode::NO_CONTENT);
    let all_of_them = format!("/api/v1/{slug}/users/{}/sessions", signed_out_everywhere.id);
    assert_eq!(world.send(delete(&all_of_them)).await.status, StatusCode::NO_CONTENT);
    let patch =
        authorised(TestRequest::patch().uri(&format!("/api/v1/{slug}/users/{}", disabled.id)), &operator);
    assert_eq!(world.send(patch.set_json(json!({ "active": false }))).await.status, StatusCode::OK);
    let revoked = delete(&format!("/api/v1/tenants/{slug}/api-keys/{key_id}"));
    assert_eq!(world.send(revoked).await.status, StatusCode::NO_CONTENT);
    all.into()
}

#[actix_web::test]
async fn whoever_was_shut_out_gets_nowhere_any_more() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let outcasts = outcasts(&world, "acme").await;
    for (operation, row) in guarded() {
        for (who, credential) in &outcasts {
            let reply = send(&world, &operation, row, &acme.place, credential).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{} by {who}", operation.id);
            reply.problem("invalid_token");
            acme.assert_unseen(&reply);
        }
    }
}
