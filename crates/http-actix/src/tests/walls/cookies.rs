//! Refresh tokens, which are no caller's credential: one of another tenant opens nothing, and ends nothing.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use serde_json::json;

use super::super::people::cookies;
use super::super::{Reply, World, post};
use super::callers::register;
use super::canaries::Furnished;
use super::visible;

/// The refresh token of somebody who signs in here.
async fn signed_in(world: &World, slug: &str) -> Cookie<'static> {
    register(world, slug, "ann", "ADMIN").await;
    let body = json!({ "email": format!("ann@{slug}.com"), "password": "SecurePassword123!" });
    let reply = world.post(&format!("/api/v1/{slug}/auth/login"), "", &body).await;
    cookies(&reply).into_iter().find(|cookie| cookie.name() == "refreshToken").unwrap()
}

async fn send(world: &World, tenant: &str, action: &str, cookie: &Cookie<'static>) -> Reply {
    world.send(post(&format!("/api/v1/{tenant}/auth/{action}"), "").cookie(cookie.clone())).await
}

#[actix_web::test]
async fn a_cookie_of_another_tenant_tells_and_changes_nothing() {
    let world = World::new();
    let acme = Furnished::tenant(&world, "acme").await;
    let gone = Furnished::deleted(&world, "gone").await;
    world.tenant("beta");
    let (own, foreign) = (signed_in(&world, "acme").await, signed_in(&world, "beta").await);
    let tenants = [
        acme.slug.clone(),
        acme.id.to_string(),
        "nowhere".to_owned(),
        "ten_3fa85f6457174562b3fc2c963f66afa6".to_owned(),
        gone.slug.clone(),
        gone.id.to_string(),
    ];
    for (action, status) in [("refresh", StatusCode::UNAUTHORIZED), ("logout", StatusCode::NO_CONTENT)] {
        let mut seen = Vec::new();
        for tenant in &tenants {
            let reply = send(&world, tenant, action, &foreign).await;
            assert_eq!(reply.status, status, "{action} at {tenant}");
            acme.assert_unseen(&reply);
            let (status, body, headers) = visible(&reply);
            // Which tenant was asked for is the caller's own word, and the path of the cookie that is removed.
            let told = |text: String| text.replace(tenant.as_str(), "…");
            let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name, told(value))).collect();
            seen.push((status, body, headers));
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{action}: {seen:#?}");
    }
    for (tenant, cookie) in [("acme", &own), ("beta", &foreign)] {
        assert_eq!(send(&world, tenant, "refresh", cookie).await.status, StatusCode::OK, "{tenant}");
    }
}
