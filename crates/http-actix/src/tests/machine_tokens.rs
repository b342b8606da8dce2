//! Access tokens that machines get for their API keys, and what others need to check them. With the real tokens.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_ports::{Clock as _, Scope};
use tenantry_usecases::signing_keys::{self, Rotation};

use super::{Reply, World, authorised, get};

const ACCOUNTS: &str = "/api/v1/tenants/acme/accounts";
const CONFIGS: &str = "/api/v1/tenants/acme/configs";
const TOKEN: &str = "/oauth/token";

/// A server that can issue tokens, and a key of acme that may read accounts and configs: its id and text.
fn world() -> (World, String, String) {
    let world = World::new();
    assert!(signing_keys::ensure(world.platform()).unwrap());
    let (id, key) = client(&world, "acme", &[Scope::AccountsRead, Scope::ConfigsRead]);
    (world, id, key)
}

fn client(world: &World, slug: &str, scopes: &[Scope]) -> (String, String) {
    let tenant = world.tenant(slug);
    let key = world.key(Some(tenant), scopes);
    let id = tenantry_usecases::api_keys::list(world.platform(), Some(tenant)).unwrap()[0].id.to_string();
    (id, key)
}

/// A form, and how it is refused.
type Case<'a> = (&'a [(&'a str, &'a str)], StatusCode, &'static str);

async fn ask(world: &World, form: &[(&str, &str)]) -> Reply {
    world.send(TestRequest::post().uri(TOKEN).set_form(form)).await
}

async fn token(world: &World, id: &str, key: &str, scope: &str) -> String {
    let form =
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", key), ("scope", scope)];
    let reply = ask(world, &form).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_refused(reply: &Reply, status: StatusCode, error: &str) {
    assert_eq!(reply.status, status, "{:?}", reply.bytes);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    assert_eq!(body["error"], error, "{body}");
}

#[actix_web::test]
async fn a_token_is_accepted_wherever_the_key_is() {
    let (world, id, key) = world();
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &key)];
    let reply = ask(&world, &form).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(body["scope"], "accounts:read configs:read");
    let token = body["access_token"].as_str().unwrap();
    for path in [ACCOUNTS, CONFIGS] {
        assert_eq!(world.get(path, token).await.status, StatusCode::OK, "{path}");
    }
    let by_header = TestRequest::get().uri(ACCOUNTS).insert_header(("X-API-Key", token));
    assert_eq!(world.send(by_header).await.status, StatusCode::OK);
    assert_eq!(world.replica().get(ACCOUNTS, token).await.status, StatusCode::OK, "on every replica");
}

#[actix_web::test]
async fn a_client_may_say_who_it_is_in_the_authorization_header() {
    let (world, id, key) = world();
    let basic = |id: &str, key: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{key}")));
    let send = |authorization: String, form: &[(&str, &str)]| {
        let request = TestRequest::post().uri(TOKEN).insert_header(("Authorization", authorization));
        world.send(request.set_form(form))
    };
    let grant = [("grant_type", "client_credentials")];
    assert_eq!(send(basic(&id, &key), &grant).await.status, StatusCode::OK);
    // Form-encoded first, as the RFC has it.
    assert_eq!(send(basic(&id.replace('_', "%5F"), &key), &grant).await.status, StatusCode::OK);
    let named = [grant[0], ("client_id", id.as_str())];
    assert_eq!(send(basic(&id, &key), &named).await.status, StatusCode::OK);
    let twice = [grant[0], ("client_id", id.as_str()), ("client_secret", key.as_str())];
    assert_refused(&send(basic(&id, &key), &twice).await, StatusCode::BAD_REQUEST, "invalid_request");
    let wrong = send(basic(&id, "wrong"), &grant).await;
    assert_refused(&wrong, StatusCode::UNAUTHORIZED, "invalid_client");
    assert!(wrong.header("www-authenticate").unwrap().starts_with("Basic "));
    for malformed in ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Bearer x", "Basic /w=="] {
        let reply = send(malformed.to_owned(), &grant).await;
        assert_refused(&reply, StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[actix_web::test]
async fn a_token_may_do_what_was_asked_for_and_no_more() {
    let (world, id, key) = world();
    let narrow = token(&world, &id, &key, "configs:read").await;
    assert_eq!(world.get(CONFIGS, &narrow).await.status, StatusCode::OK);
    let refused = world.get(ACCOUNTS, &narrow).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.problem("missing_scope");
    world.get("/api/v1/tenants/acme/api-keys", &narrow).await.problem("forbidden");
    world.get("/api/v1/tenants", &narrow).await.problem("forbidden");
}

#[actix_web::test]
async fn a_token_of_one_tenant_is_a_stranger_to_another() {
    let (world, ..) = world();
    let (id, key) = client(&world, "other", &Scope::ALL);
    let foreign = token(&world, &id, &key, "").await;
    world.get(ACCOUNTS, &foreign).await.problem("wrong_tenant");
    world.get("/api/v1/tenants/nowhere/accounts", &foreign).await.problem("wrong_tenant");
    assert_eq!(world.get("/api/v1/tenants/other/accounts", &foreign).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn requests_for_no_token_are_refused_as_oauth_has_it() {
    let (world, id, key) = world();
    let operator = world.operator();
    let operators = tenantry_usecases::api_keys::list(world.platform(), None).unwrap()[0].id.to_string();
    let (other, other_key) = client(&world, "other", &[Scope::AccountsRead]);
    let own = token(&world, &id, &key, "").await;
    let grant = ("grant_type", "client_credentials");
    let (who, what) = (("client_id", id.as_str()), ("client_secret", key.as_str()));
    let bad = StatusCode::BAD_REQUEST;
    let unknown = StatusCode::UNAUTHORIZED;
    let cases: &[Case] = &[
        (&[who, what], bad, "invalid_request"),
        (&[("grant_type", ""), who, what], bad, "invalid_request"),
        (&[grant, grant, who, what], bad, "invalid_request"),
        (&[grant, who, what, what], bad, "invalid_request"),
        (&[("grant_type", "password"), who, what], bad, "unsupported_grant_type"),
        (&[("grant_type", "authorization_code"), who, what], bad, "unsupported_grant_type"),
        (&[grant], unknown, "invalid_client"),
        (&[grant, who], unknown, "invalid_client"),
        (&[grant, what], unknown, "invalid_client"),
        (&[grant, who, ("client_secret", "")], unknown, "invalid_client"),
        (&[grant, who, ("client_secret", "wrong")], unknown, "invalid_client"),
        (&[grant, who, ("client_secret", &other_key)], unknown, "invalid_client"),
        (&[grant, ("client_id", &other), what], unknown, "invalid_client"),
        (&[grant, ("client_id", "x"), what], unknown, "invalid_client"),
        // A token is no secret: it could renew itself for ever.
        (&[grant, who, ("client_secret", &own)], unknown, "invalid_client"),
        (&[grant, ("client_id", &operators), ("client_secret", &operator)], bad, "unauthorized_client"),
        (&[grant, who, ("client_secret", &operator)], unknown, "invalid_client"),
        (&[grant, who, what, ("scope", "accounts:write")], bad, "invalid_scope"),
        (&[grant, who, what, ("scope", "accounts:read accounts:write")], bad, "invalid_scope"),
        (&[grant, who, what, ("scope", "everything")], bad, "invalid_scope"),
    ];
    for (form, status, error) in cases {
        assert_refused(&ask(&world, form).await, *status, error);
    }
    let json = TestRequest::post().uri(TOKEN).set_json(json!({ "grant_type": "client_credentials" }));
    assert_refused(&world.send(json).await, bad, "invalid_request");
}

#[actix_web::test]
async fn a_revoked_keys_tokens_are_refused_with_it() {
    let (world, id, key) = world();
    let token = token(&world, &id, &key, "").await;
    let replica = world.replica();
    for server in [&world, &replica] {
        assert_eq!(server.get(ACCOUNTS, &token).await.status, StatusCode::OK);
    }
    let delete = TestRequest::delete().uri(&format!("/api/v1/tenants/acme/api-keys/{id}"));
    let revoked = world.send(authorised(delete, &world.operator())).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let since = std::time::Instant::now();
    world.get(ACCOUNTS, &token).await.problem("invalid_token");
    loop {
        let sent = since.elapsed();
        if replica.get(ACCOUNTS, &token).await.status == StatusCode::UNAUTHORIZED {
            break;
        }
        assert!(sent < std::time::Duration::from_secs(1), "still taken {sent:?} after the key was revoked");
    }
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &key)];
    assert_refused(&ask(&world, &form).await, StatusCode::UNAUTHORIZED, "invalid_client");
}

#[actix_web::test]
async fn a_token_expires_and_so_does_its_key() {
    let (world, id, key) = world();
    let token = token(&world, &id, &key, "").await;
    world.test.clock.advance(TimeDelta::seconds(600));
    assert_eq!(world.replica().get(ACCOUNTS, &token).await.status, StatusCode::OK, "clocks may differ");
    world.test.clock.advance(TimeDelta::seconds(31));
    world.replica().get(ACCOUNTS, &token).await.problem("invalid_token");
}

/// Whoever checks tokens by themselves knows nothing of the key: its end has to be in the token.
#[actix_web::test]
async fn no_token_outlives_its_key() {
    let world = World::new();
    signing_keys::ensure(world.platform()).unwrap();
    let operator = world.operator();
    world.tenant("acme");
    let end = world.test.clock.now() + TimeDelta::milliseconds(90_700);
    let wish = json!({ "name": "short", "scopes": ["accounts:read"], "expiresAt": end.to_rfc3339() });
    let made = world.post("/api/v1/tenants/acme/api-keys", &operator, &wish).await.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", key)];
    let granted = async || {
        let reply = ask(&world, &form).await.json();
        let token = reply["access_token"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let expires = serde_json::from_slice::<Value>(&claims).unwrap()["exp"].as_i64().unwrap();
        (reply["expires_in"].as_i64().unwrap(), expires)
    };
    assert_eq!(granted().await, (end.timestamp() - world.test.clock.now().timestamp(), end.timestamp()));
    world.test.clock.advance(TimeDelta::seconds(60));
    let (lives, expires) = granted().await;
    assert!((30..=31).contains(&lives), "{lives}");
    assert_eq!(expires, end.timestamp());
    // A second that has begun is none that a token could live.
    world.test.clock.set(end - TimeDelta::milliseconds(1));
    assert_refused(&ask(&world, &form).await, StatusCode::UNAUTHORIZED, "invalid_client");
}

#[actix_web::test]
async fn machines_of_a_tenant_that_is_not_in_service_get_no_token() {
    let (world, id, key) = world();
    let operator = world.operator();
    world.post("/api/v1/tenants/acme/suspend", &operator, &json!({})).await;
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &key)];
    assert_refused(&ask(&world, &form).await, StatusCode::BAD_REQUEST, "unauthorized_client");
}

#[actix_web::test]
async fn the_keys_are_published_before_they_sign_and_until_the_last_token_has_expired() {
    let (world, id, key) = world();
    let names = async |server: &World| -> Vec<String> {
        let set = server.get("/.well-known/jwks.json", "").await.json();
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let signed_by = |token: &str| -> String {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    };
    let replica = world.replica();
    let first = token(&world, &id, &key, "").await;
    let old = signed_by(&first);
    assert_eq!(names(&world).await, std::slice::from_ref(&old));
    let lead = TimeDelta::seconds(300);
    let new = signing_keys::rotate(world.platform(), Rotation::After(lead), "cli").unwrap().kid;
    assert_eq!(names(&replica).await, [new.clone(), old.clone()], "at once, since the platform is shared");
    assert_eq!(signed_by(&token(&world, &id, &key, "").await), old, "published, and does not sign yet");
    world.test.clock.advance(lead - TimeDelta::seconds(5));
    let last = token(&world, &id, &key, "").await;
    assert_eq!(signed_by(&last), old);
    world.test.clock.advance(TimeDelta::seconds(5));
    assert_eq!(signed_by(&token(&world, &id, &key, "").await), new);
    world.test.clock.advance(TimeDelta::seconds(594));
    assert_eq!(world.replica().get(ACCOUNTS, &last).await.status, StatusCode::OK, "retiring");
    world.test.clock.advance(TimeDelta::seconds(400));
    assert_eq!(names(&world).await, [new]);
}

#[actix_web::test]
async fn what_a_compromised_key_signed_is_refused() {
    let (world, id, key) = world();
    let stolen = token(&world, &id, &key, "").await;
    signing_keys::rotate(world.platform(), Rotation::Compromised, "cli").unwrap();
    world.test.clock.advance(TimeDelta::seconds(1));
    world.replica().get(ACCOUNTS, &stolen).await.problem("invalid_token");
    let fresh = token(&world, &id, &key, "").await;
    assert_eq!(world.get(ACCOUNTS, &fresh).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_is_published_may_be_cached() {
    let (world, ..) = world();
    for (path, media_type) in [
        ("/.well-known/jwks.json", "application/jwk-set+json"),
        ("/.well-known/oauth-authorization-server", "application/json"),
    ] {
        let first = world.get(path, "").await;
        assert_eq!((first.status, first.header("content-type")), (StatusCode::OK, Some(media_type)));
        assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
        let etag = first.header("etag").unwrap().to_owned();
        let again = world.send(get(path, "").insert_header(("If-None-Match", etag.as_str()))).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), Some(&*etag));
    }
}

#[actix_web::test]
async fn the_metadata_leads_to_everything_else() {
    let (world, ..) = world();
    let metadata = world.get("/.well-known/oauth-authorization-server", "").await.json();
    let issuer = metadata["issuer"].as_str().unwrap();
    for (member, path) in [("token_endpoint", TOKEN), ("jwks_uri", "/.well-known/jwks.json")] {
        assert_eq!(metadata[member], format!("{issuer}{path}"), "{member}");
    }
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(metadata["response_types_supported"], json!([]));
    assert_eq!(metadata["scopes_supported"].as_array().unwrap().len(), Scope::ALL.len());
}

/// What a back end does with nothing but the two public documents.
#[actix_web::test]
async fn others_can_check_a_token_with_what_is_published() {
    let (world, id, key) = world();
    let token = token(&world, &id, &key, "accounts:read").await;
    let set = world.get("/.well-known/jwks.json", "").await.json();
    let metadata = world.get("/.well-known/oauth-authorization-server", "").await.json();
    let [header, payload, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let json = |segment: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    };
    let (head, claims) = (json(header), json(payload));
    assert_eq!((&head["alg"], &head["typ"]), (&json!("ES256"), &json!("at+jwt")));
    let jwk = set["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == head["kid"]).unwrap();
    let mut point = vec![4];
    for member in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap());
    }
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point);
    let message = format!("{header}.{payload}");
    public.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&metadata["issuer"], &metadata["issuer"]));
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!(id), &json!("accounts:read")));
}
