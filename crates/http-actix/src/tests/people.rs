//! Staying signed in, signing out, sessions and passwords.

use actix_web::cookie::{Cookie, time};
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Reply, World, authorised, get, pairs, post};

const ADMIN: &str = "admin@acme.com";
const PASSWORD: &str = "ChangeMe123!";

/// Somebody at a browser.
pub(crate) struct Browser<'a> {
    world: &'a World,
    cookies: Vec<(String, String)>,
    pub(crate) access: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, cookies: Vec::new(), access: String::new() }
    }

    /// The admin of acme, signed in.
    pub(crate) async fn admin(world: &'a World) -> Self {
        let mut browser = Self::new(world);
        browser.login(ADMIN, PASSWORD).await;
        browser
    }

    pub(crate) async fn login(&mut self, email: &str, password: &str) -> Reply {
        let body = json!({ "email": email, "password": password });
        let request = post("/api/v1/acme/auth/login", "").set_json(body).peer_addr(peer());
        let reply = self.send(request).await;
        self.learn(&reply);
        reply
    }

    pub(crate) async fn refresh(&mut self) -> Reply {
        let reply = self.send(post("/api/v1/acme/auth/refresh", "")).await;
        self.learn(&reply);
        reply
    }

    async fn send(&self, request: TestRequest) -> Reply {
        let with = |request: TestRequest, (name, value): &(String, String)| {
            request.cookie(Cookie::new(name.clone(), value.clone()))
        };
        self.world.send(self.cookies.iter().fold(request, with)).await
    }

    /// Keeps what it is told to keep.
    fn learn(&mut self, reply: &Reply) {
        for cookie in cookies(reply) {
            self.cookies.retain(|(name, _)| *name != cookie.name());
            if cookie.max_age().is_some_and(time::Duration::is_positive) {
                self.cookies.push((cookie.name().to_owned(), cookie.value().to_owned()));
            }
        }
        if reply.status == StatusCode::OK {
            self.access = reply.json()["accessToken"].as_str().unwrap().to_owned();
        }
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    async fn me(&self) -> Reply {
        self.world.get("/api/v1/acme/auth/me", &self.access).await
    }
}

fn peer() -> std::net::SocketAddr {
    "192.0.2.7:1234".parse().unwrap()
}

/// What browsers are told to keep.
pub(crate) fn cookies(reply: &Reply) -> Vec<Cookie<'static>> {
    let set = reply.headers.get_all("set-cookie");
    set.map(|value| Cookie::parse_encoded(value.to_str().unwrap().to_owned()).unwrap()).collect()
}

fn world() -> World {
    let world = World::new();
    world.tenant_with_admin("acme");
    world
}

#[actix_web::test]
async fn whoever_signed_in_reads_who_they_are_and_what_they_may_do() {
    let world = world();
    let browser = Browser::admin(&world).await;
    let reply = browser.me().await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!((reply.header("etag"), reply.header("cache-control")), (Some("\"1\""), Some("no-store")));
    let me = reply.json();
    assert_eq!((&me["email"], &me["role"]), (&json!(ADMIN), &json!("ADMIN")));
    assert_eq!(me["abilities"], json!([{ "actions": ["manage"], "subjects": ["all"] }]));
    let again = get("/api/v1/acme/auth/me", &browser.access).insert_header(("If-None-Match", "\"1\""));
    assert_eq!(world.send(again).await.status, StatusCode::NOT_MODIFIED);

    let registered = json!({ "email": "john@acme.com", "password": "SecurePassword123!" });
    let reply = world.post("/api/v1/acme/auth/register", &browser.access, &registered).await.json();
    assert_eq!(reply["user"]["abilities"][0]["conditions"]["creatorId"], "{{userId}}");
    let token = reply["accessToken"].as_str().unwrap();
    let me = world.get("/api/v1/acme/auth/me", token).await.json();
    assert_eq!(me["abilities"][0]["conditions"]["creatorId"], reply["user"]["id"], "filled in");
}

#[actix_web::test]
async fn refreshing_answers_as_signing_in_does_and_sets_the_next_cookie() {
    let world = world();
    let mut browser = Browser::admin(&world).await;
    let first = browser.cookie("refreshToken").unwrap().to_owned();
    world.test.clock.advance(TimeDelta::days(1));
    let reply = browser.refresh().await;
    assert_eq!((reply.status, reply.header("cache-control")), (StatusCode::OK, Some("no-store")));
    let body = reply.json();
    assert_eq!((&body["tokenType"], &body["expiresIn"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(body["user"]["email"], ADMIN);
    let [cookie] = &cookies(&reply)[..] else { panic!("one cookie") };
    assert_eq!((cookie.name(), cookie.path()), ("refreshToken", Some("/api/v1/acme/auth")));
    assert_eq!(
        (cookie.http_only(), cookie.max_age().map(time::Duration::whole_days)),
        (Some(true), Some(30))
    );
    assert_ne!(cookie.value(), first);
    assert!(!body.to_string().contains(cookie.value()), "the cookie alone has the token");
    assert_eq!(browser.me().await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_used_refresh_token_ends_the_session_here_at_once() {
    let world = world();
    let mut browser = Browser::admin(&world).await;
    let mut thief = Browser::new(&world);
    thief.cookies.clone_from(&browser.cookies);
    browser.refresh().await;
    assert_eq!(browser.me().await.status, StatusCode::OK);
    world.test.clock.advance(TimeDelta::seconds(10));
    thief.refresh().await.problem("invalid_refresh_token");
    browser.me().await.problem("invalid_token");
    browser.refresh().await.problem("invalid_refresh_token");
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_refresh_token_the_answer_is_the_same() {
    let world = world();
    world.announced("waiting");
    let browser = Browser::admin(&world).await;
    let token = browser.cookie("refreshToken").unwrap().to_owned();
    let mut bodies = Vec::new();
    for (tenant, cookie) in
        [("acme", ""), ("acme", "x"), ("acme", &token[1..]), ("nowhere", &token), ("waiting", &token)]
    {
        let request = post(&format!("/api/v1/{tenant}/auth/refresh"), "");
        let reply = world.send(request.cookie(Cookie::new("refreshToken", cookie.to_owned()))).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{tenant} {cookie}");
        bodies.push(reply);
    }
    bodies.push(world.send(post("/api/v1/acme/auth/refresh", "")).await);
    let mut bodies: Vec<_> = bodies
        .iter()
        .map(|reply| {
            let mut body = reply.problem("invalid_refresh_token");
            for differs in ["requestId", "instance"] {
                body.as_object_mut().unwrap().remove(differs);
            }
            body
        })
        .collect();
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[actix_web::test]
async fn signing_out_ends_the_session_removes_the_cookie_and_may_be_repeated() {
    let world = world();
    let mut browser = Browser::admin(&world).await;
    let other = Browser::admin(&world).await;
    assert_eq!(browser.me().await.status, StatusCode::OK);
    let before = browser.cookies.clone();
    let reply = browser.send(post("/api/v1/acme/auth/logout", "")).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NO_CONTENT, 0));
    browser.learn(&reply);
    assert_eq!(browser.cookie("refreshToken"), None);
    assert!(browser.cookie("device").is_some(), "the device is known on");
    browser.me().await.problem("invalid_token");
    browser.cookies = before;
    browser.refresh().await.problem("invalid_refresh_token");
    for path in ["/api/v1/acme/auth/logout", "/api/v1/nowhere/auth/logout"] {
        assert_eq!(browser.send(post(path, "")).await.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(world.send(post(path, "")).await.status, StatusCode::NO_CONTENT, "{path}");
    }
    assert_eq!(other.me().await.status, StatusCode::OK);
}

#[actix_web::test]
async fn pages_of_other_sites_are_refused() {
    let world = world();
    let browser = Browser::admin(&world).await;
    for path in ["/api/v1/acme/auth/refresh", "/api/v1/acme/auth/logout"] {
        for header in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
            let reply = browser.send(post(path, "").insert_header(header)).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN);
            reply.problem("cross_site");
            assert!(cookies(&reply).is_empty());
        }
    }
    let request = post("/api/v1/acme/auth/refresh", "").insert_header(("Sec-Fetch-Site", "same-origin"));
    assert_eq!(browser.send(request).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn one_sees_ones_sessions_and_ends_them() {
    let world = world();
    let one = Browser::admin(&world).await;
    let two = Browser::admin(&world).await;
    let list = |query: &str| format!("/api/v1/acme/auth/sessions{query}");
    let page = world.get(&list(""), &one.access).await.json();
    let items = page["items"].as_array().unwrap();
    assert_eq!((items.len(), &page["nextCursor"]), (2, &Value::Null));
    assert_eq!((&items[0]["current"], &items[1]["current"]), (&json!(false), &json!(true)));
    assert_eq!(items[0]["address"], "192.0.2.7");
    let first = world.get(&list("?limit=1"), &one.access).await.json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = world.get(&list(&format!("?limit=1&cursor={cursor}")), &one.access).await.json();
    assert_eq!((&first["items"][0], &second["items"][0]), (&items[0], &items[1]));

    let end = |id: &str| authorised(TestRequest::delete().uri(&list(&format!("/{id}"))), &one.access);
    assert_eq!(two.me().await.status, StatusCode::OK);
    let id = items[0]["id"].as_str().unwrap();
    assert_eq!(world.send(end(id)).await.status, StatusCode::NO_CONTENT);
    two.me().await.problem("invalid_token");
    for unknown in ["ses_0195c0de00007000800000000000000a", "x"] {
        let reply = world.send(end(unknown)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        reply.problem("session_not_found");
    }
    assert_eq!(world.get(&list(""), &one.access).await.json()["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let world = world();
    let one = Browser::admin(&world).await;
    let two = Browser::admin(&world).await;
    let change = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    let path = "/api/v1/acme/auth/change-password";
    let new = "correct horse battery staple";
    let wrong = world.post(path, &one.access, &change("wrong", new)).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    wrong.problem("wrong_password");
    let weak = world.post(path, &one.access, &change(PASSWORD, "password")).await;
    assert_eq!(weak.findings("validation_failed"), pairs(&[("/newPassword", "common_password")]));
    assert_eq!(two.me().await.status, StatusCode::OK);
    let reply = world.post(path, &one.access, &change(PASSWORD, new)).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(one.me().await.status, StatusCode::OK);
    two.me().await.problem("invalid_token");
    let mut again = Browser::new(&world);
    again.login(ADMIN, PASSWORD).await.problem("invalid_credentials");
    assert_eq!(again.login(ADMIN, new).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn another_replica_refuses_an_ended_session_within_a_second() {
    let world = world();
    let replica = world.replica();
    let browser = Browser::admin(&world).await;
    let there = |at: std::time::Instant| {
        let (replica, access) = (&replica, &browser.access);
        async move { (replica.get("/api/v1/acme/auth/me", access).await.status, at.elapsed()) }
    };
    assert_eq!(there(std::time::Instant::now()).await.0, StatusCode::OK);
    browser.send(post("/api/v1/acme/auth/logout", "")).await;
    let ended = std::time::Instant::now();
    let elapsed = loop {
        let (status, elapsed) = there(ended).await;
        if status == StatusCode::UNAUTHORIZED {
            break elapsed;
        }
        assert!(elapsed.as_secs() < 5, "it is never noticed");
        tokio::task::yield_now().await;
    };
    assert!(elapsed < std::time::Duration::from_millis(1500), "{elapsed:?}");
}

#[actix_web::test]
async fn whoever_signs_out_everywhere_is_signed_in_nowhere_on_no_replica() {
    let world = world();
    let replica = world.replica();
    let (one, mut two) = (Browser::admin(&world).await, Browser::admin(&world).await);
    assert_eq!(replica.get("/api/v1/acme/auth/me", &two.access).await.status, StatusCode::OK);
    let request = TestRequest::delete().uri("/api/v1/acme/auth/sessions");
    let reply = one.send(authorised(request, &one.access)).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NO_CONTENT, 0));
    let [cookie] = &cookies(&reply)[..] else { panic!("one cookie") };
    let removed = (cookie.name(), cookie.path(), cookie.max_age());
    assert_eq!(removed, ("refreshToken", Some("/api/v1/acme/auth"), Some(time::Duration::ZERO)));
    for browser in [&one, &two] {
        browser.me().await.problem("invalid_token");
    }
    two.refresh().await.problem("invalid_refresh_token");
    let ended = std::time::Instant::now();
    while replica.get("/api/v1/acme/auth/me", &two.access).await.status != StatusCode::UNAUTHORIZED {
        assert!(ended.elapsed() < std::time::Duration::from_millis(1500), "it still works there");
        tokio::task::yield_now().await;
    }
}

/// Reading may go on for a moment where somebody is remembered; changing does not.
#[actix_web::test]
async fn whoever_was_signed_out_or_whose_tenant_was_suspended_changes_nothing_on_any_replica_at_once() {
    let world = world();
    let replica = world.replica();
    let (one, two) = (Browser::admin(&world).await, Browser::admin(&world).await);
    let known = async |browser: &Browser<'_>| {
        assert_eq!(replica.get("/api/v1/acme/users", &browser.access).await.status, StatusCode::OK);
    };
    let changes = async |browser: &Browser<'_>| {
        let user = json!({ "email": "eve@acme.com", "password": "SecurePassword123!" });
        let key = json!({ "name": "eve", "scopes": ["accounts:read"] });
        let new = json!({ "currentPassword": PASSWORD, "newPassword": "correct horse battery staple" });
        [
            replica.post("/api/v1/acme/auth/register", &browser.access, &user).await,
            replica.post("/api/v1/tenants/acme/api-keys", &browser.access, &key).await,
            replica.post("/api/v1/acme/auth/change-password", &browser.access, &new).await,
        ]
    };
    known(&one).await;
    assert_eq!(one.send(post("/api/v1/acme/auth/logout", "")).await.status, StatusCode::NO_CONTENT);
    for reply in changes(&one).await {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        reply.problem("invalid_token");
    }
    known(&two).await;
    let suspended = world.post("/api/v1/tenants/acme/suspend", &world.operator(), &json!({})).await;
    assert_eq!(suspended.status, StatusCode::OK);
    for reply in changes(&two).await {
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        reply.problem("tenant_suspended");
    }
}

#[actix_web::test]
async fn guesses_are_refused_with_the_time_to_wait_whoever_they_are_at() {
    let world = world();
    let mut bodies = Vec::new();
    for (tenant, email) in [("acme", ADMIN), ("acme", "nobody@acme.com"), ("nowhere", ADMIN)] {
        let body = json!({ "email": email, "password": "wrong" });
        let mut refused = None;
        for _ in 0..8 {
            let reply = world.post(&format!("/api/v1/{tenant}/auth/login"), "", &body).await;
            if reply.status == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(reply);
            }
        }
        let refused = refused.expect("it was too much");
        assert_eq!(refused.header("retry-after"), Some("1"));
        let mut body = refused.problem("too_many_attempts");
        for differs in ["requestId", "instance"] {
            body.as_object_mut().unwrap().remove(differs);
        }
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

/// Who has one address of IPv6 has 64 bits of them.
#[actix_web::test]
async fn a_network_of_ipv6_guesses_as_slowly_as_one_address() {
    let world = world();
    let attempt = async |address: String, n: u16| {
        let body = json!({ "email": format!("user{n}@acme.com"), "password": "wrong" });
        let peer = format!("[{address}]:1234").parse().unwrap();
        let request = post("/api/v1/acme/auth/login", "").set_json(body).peer_addr(peer);
        world.send(request).await.status
    };
    for n in 0..=50 {
        let status = attempt(format!("2001:db8:0:7:{n:x}::{n:x}"), n).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let next = attempt("2001:db8:0:7:ffff::1".to_owned(), 51).await;
    assert_eq!(next, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt("2001:db8:0:8::1".to_owned(), 52).await, StatusCode::UNAUTHORIZED, "a neighbour");
}

#[actix_web::test]
async fn a_device_that_was_here_before_signs_in_whatever_strangers_do() {
    let world = world();
    let mut owner = Browser::admin(&world).await;
    let wrong = json!({ "email": ADMIN, "password": "wrong" });
    for _ in 0..8 {
        world.post("/api/v1/acme/auth/login", "", &wrong).await;
    }
    Browser::new(&world).login(ADMIN, PASSWORD).await.problem("too_many_attempts");
    let reply = owner.login(ADMIN, PASSWORD).await;
    assert_eq!(reply.status, StatusCode::OK);
    let device = cookies(&reply).into_iter().find(|cookie| cookie.name() == "device").unwrap();
    assert_eq!((device.http_only(), device.path()), (Some(true), Some("/api/v1/acme/auth")));
    assert_eq!(device.max_age().map(time::Duration::whole_days), Some(365));
}
