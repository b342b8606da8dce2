//! People over HTTP: source 003, sections 2, 5 and 6, and what follows from them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_tests::{Client, Installation, Response, Tenantry, for_each_backend};

/// A tenant with its first admin, as source 003, section 1, orders it.
fn tenant(tenantry: &Tenantry, slug: &str) {
    let order = json!({
        "name": "Acme Corp",
        "subdomain": slug,
        "config": { "region": "us" },
        "admin": { "email": "admin@acme.com", "password": "ChangeMe123!" }
    });
    tenantry.client().post("/api/v1/tenants", &order).expect(201);
}

const LOGIN: &str = "/api/v1/acme/auth/login";

/// Signs in as source 003, section 2, does.
fn login(client: &mut Client) -> Response {
    client.post(LOGIN, &json!({ "email": "admin@acme.com", "password": "ChangeMe123!" }))
}

/// What a cookie of an answer is set to.
fn cookie(response: &Response, name: &str) -> Option<String> {
    let set = response.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
    let pairs = set.filter_map(|(_, value)| value.split(';').next()?.split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next()
}

fn refresh(client: &mut Client, token: &str) -> Response {
    let request = client.request("POST", "/api/v1/acme/auth/refresh");
    request.header("Cookie", &format!("refreshToken={token}")).send()
}

fn access(response: &Response) -> String {
    response.json()["accessToken"].as_str().unwrap().to_owned()
}

#[test]
fn the_source_003_is_served_to_the_letter() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let mut client = tenantry.client();
        // Section 2.
        let signed_in = login(&mut client).expect(200);
        let body = signed_in.json();
        assert_eq!(body["accessToken"].as_str().unwrap().split('.').count(), 3);
        for (member, value) in [("email", "admin@acme.com"), ("role", "ADMIN")] {
            assert_eq!(body["user"][member], value);
        }
        let tenant_id = body["user"]["tenantId"].clone();
        let set = signed_in.header("Set-Cookie").unwrap();
        assert!(set.starts_with("refreshToken=") && set.contains("HttpOnly"), "{set}");
        // Section 5.
        let registration = json!({
            "email": "john.doe@acme.com",
            "username": "johndoe",
            "password": "SecurePassword123!",
            "firstName": "John",
            "lastName": "Doe",
            "role": "USER"
        });
        let mut admin = tenantry.client().with_bearer(&access(&signed_in));
        let registered = admin.post("/api/v1/acme/auth/register", &registration).expect(201).json();
        let mut expected = json!({
            "email": "john.doe@acme.com",
            "username": "johndoe",
            "firstName": "John",
            "lastName": "Doe",
            "role": "USER",
            "abilities": [
                {
                    "actions": ["create", "read", "update"],
                    "subjects": ["Tender"],
                    "conditions": { "creatorId": "{{userId}}" }
                },
                { "actions": ["read", "score"], "subjects": ["Bid"] }
            ],
            "tenantId": tenant_id
        });
        expected["id"] = registered["user"]["id"].clone();
        assert_eq!(registered["user"], expected);
        let mut john = tenantry.client().with_bearer(registered["accessToken"].as_str().unwrap());
        let me = john.get("/api/v1/acme/auth/me").expect(200).json();
        assert_eq!(me["abilities"][0]["conditions"]["creatorId"], registered["user"]["id"]);
        john.post("/api/v1/acme/auth/register", &registration).expect(403);
        tenantry.client().post("/api/v1/acme/auth/register", &registration).expect(401);
        // Section 6.
        let roles = admin.get("/api/v1/acme/auth/roles/config").expect(200).json();
        assert_eq!(
            roles,
            json!({
                "roles": [
                    { "role": "ADMIN", "permissions": ["*"], "description": "System administrator with full access" },
                    {
                        "role": "USER",
                        "permissions": ["read:tenders", "create:tenders", "score:bids"],
                        "description": "Internal user who can create tenders and score bids"
                    },
                    {
                        "role": "VENDOR",
                        "permissions": ["read:own", "create:bids", "submit:bids"],
                        "description": "External vendor who can submit bids"
                    }
                ]
            })
        );
        john.get("/api/v1/acme/auth/roles/config").expect(403);
    });
}

#[test]
fn a_session_goes_on_over_a_crash_and_ends_on_every_replica() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let mut one = installation.start();
        let two = installation.start();
        tenant(&one, "acme");
        let signed_in = login(&mut one.client()).expect(200);
        let token = cookie(&signed_in, "refreshToken").unwrap();
        one.kill_hard();
        one.restart();
        let successors = |token: &str| -> BTreeSet<String> {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..20)
                    .map(|n| {
                        let mut client = [&one, &two][n % 2].client();
                        scope.spawn(move || refresh(&mut client, token).expect(200))
                    })
                    .collect();
                let answers = threads.into_iter().map(|thread| thread.join().unwrap());
                answers.map(|answer| cookie(&answer, "refreshToken").unwrap()).collect()
            })
        };
        // Twenty at once, over two replicas, get one successor.
        let other = cookie(&login(&mut two.client()).expect(200), "refreshToken").unwrap();
        assert_eq!(successors(&other).len(), 1);
        // The answer is lost with the connection: the same successor comes again, on any replica.
        let lost = refresh(&mut two.client(), &token).expect(200);
        let current = cookie(&lost, "refreshToken").unwrap();
        assert_eq!(successors(&token), BTreeSet::from([current.clone()]));

        let mut there = two.client().with_bearer(&access(&lost));
        there.get("/api/v1/acme/auth/me").expect(200);
        let mut here = one.client();
        let logout = here.request("POST", "/api/v1/acme/auth/logout");
        let out = logout.header("Cookie", &format!("refreshToken={current}")).send().expect(204);
        assert_eq!(cookie(&out, "refreshToken").as_deref(), Some(""));
        let since = Instant::now();
        one.client().with_bearer(&access(&lost)).get("/api/v1/acme/auth/me").expect(401);
        loop {
            let asked = since.elapsed();
            if there.get("/api/v1/acme/auth/me").status == 401 {
                break;
            }
            assert!(asked < Duration::from_secs(1), "it is still served");
        }
        assert_eq!(refresh(&mut two.client(), &current).expect(401).json()["code"], "invalid_refresh_token");
    });
}

#[test]
fn a_refresh_token_that_was_used_ends_the_session_for_both_who_have_it() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, &[("TENANTRY__AUTH__REFRESH_GRACE", "0s")]);
        let tenantry = installation.start();
        tenant(&tenantry, "acme");
        let mut client = tenantry.client();
        let stolen = cookie(&login(&mut client).expect(200), "refreshToken").unwrap();
        let thiefs = refresh(&mut client, &stolen).expect(200);
        refresh(&mut client, &stolen).expect(401);
        refresh(&mut client, &cookie(&thiefs, "refreshToken").unwrap()).expect(401);
        tenantry.client().with_bearer(&access(&thiefs)).get("/api/v1/acme/auth/me").expect(401);
        let cross =
            client.request("POST", "/api/v1/acme/auth/refresh").header("Sec-Fetch-Site", "cross-site");
        assert_eq!(cross.send().expect(403).json()["code"], "cross_site");
    });
}

#[test]
fn guesses_over_replicas_are_counted_together_and_the_owner_gets_in() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let replicas = [installation.start(), installation.start(), installation.start()];
        tenant(&replicas[0], "acme");
        let device = cookie(&login(&mut replicas[0].client()).expect(200), "device").unwrap();
        let guess = json!({ "email": "admin@acme.com", "password": "wrong" });
        let evaluated: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = replicas
                .iter()
                .map(|replica| {
                    let (mut client, guess) = (replica.client(), &guess);
                    scope.spawn(move || {
                        let answers = (0..334).map(|_| client.post(LOGIN, guess));
                        answers
                            .filter(|answer| answer.status != 429)
                            .map(|answer| drop(answer.expect(401)))
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(evaluated <= 100, "{evaluated}");
        // On the device that was used before at once; elsewhere after the wait that is said.
        let body = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
        let mut owner = replicas[1].client().with_header("Cookie", &format!("device={device}"));
        owner.post(LOGIN, &body).expect(200);
        let unknown = json!({ "email": "nobody@acme.com", "password": "wrong" });
        let mut client = replicas[2].client();
        let refused = (0..8).map(|_| client.post(LOGIN, &unknown)).last().unwrap().expect(429);
        assert_eq!(refused.json()["code"], "too_many_attempts");
        assert!(refused.header("Retry-After").unwrap().parse::<u64>().unwrap() >= 1);
    });
}

#[test]
fn whoever_is_disabled_is_out_and_the_log_says_who_did_what() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        tenant(&tenantry, "acme");
        let signed_in = login(&mut tenantry.client()).expect(200);
        let mut admin = tenantry.client().with_bearer(&access(&signed_in));
        let john = json!({ "email": "john@acme.com", "password": "SecurePassword123!" });
        let post = admin.request("POST", "/api/v1/acme/auth/register").header("Idempotency-Key", "john");
        let registered = post.json(&john).send().expect(201);
        let again = admin.request("POST", "/api/v1/acme/auth/register").header("Idempotency-Key", "john");
        let again = again.json(&john).send().expect(201);
        assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), &registered.body));
        let listed = admin.get("/api/v1/acme/users?q=john&active=true").expect(200).json();
        assert_eq!(listed["items"][0]["id"], registered.json()["user"]["id"]);
        let location = registered.header("Location").unwrap();
        let read = admin.get(location).expect(200);
        let change = admin.request("PATCH", location).header("If-Match", read.header("ETag").unwrap());
        change.json(&json!({ "active": false })).send().expect(200);
        let stale = admin.request("PATCH", location).header("If-Match", read.header("ETag").unwrap());
        stale.json(&json!({ "active": true })).send().expect(412);
        let mut out = tenantry.client().with_bearer(registered.json()["accessToken"].as_str().unwrap());
        out.get("/api/v1/acme/auth/me").expect(401);
        tenantry
            .client()
            .post(LOGIN, &json!({ "email": "john@acme.com", "password": "SecurePassword123!" }))
            .expect(401);
        let last = admin.request(
            "PATCH",
            &format!("/api/v1/acme/users/{}", signed_in.json()["user"]["id"].as_str().unwrap()),
        );
        assert_eq!(last.json(&json!({ "role": "USER" })).send().expect(409).json()["code"], "last_admin");
        let change =
            json!({ "currentPassword": "ChangeMe123!", "newPassword": "correct horse battery staple" });
        admin.post("/api/v1/acme/auth/change-password", &change).expect(204);
        login(&mut tenantry.client()).expect(401);
        let sessions = admin.get("/api/v1/acme/auth/sessions").expect(200).json();
        assert_eq!((sessions["items"].as_array().unwrap().len(), &sessions["nextCursor"]), (1, &Value::Null));
        assert_eq!(sessions["items"][0]["current"], true);
    });
}
