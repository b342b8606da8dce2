//! A tenant with one of every kind of thing, for operations to be done to one after the other.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_domain::event::Event;
use tenantry_domain::id::EventId;
use tenantry_domain::tenant::Status;
use tenantry_ports::{Channel, LogEntry, NoticeFilter, Scope, StoreError, TenantScope};
use tenantry_testkit::TestPlatform;
use tenantry_usecases::signing_keys;
use tenantry_usecases::tenants::{TenantRef, find};

use super::super::people::cookies;
use super::super::walls::{furnished, tenant_of};
use super::super::{Reply, World, authorised, post};
use super::table::{By, Row};
use crate::{Doors, HttpSettings};

const PASSWORD: &str = "SecurePassword123!";

/// A sign-in of somebody.
struct SignedIn {
    access: String,
    refresh: Cookie<'static>,
}

pub(super) struct Scene {
    world: World,
    place: Vec<(&'static str, String)>,
    operator: String,
    key: String,
    person: SignedIn,
    /// Ids of what was made here, by what made it, and of what can only be known here by a name.
    made: HashMap<String, String>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let settings = HttpSettings { activation_wait: Duration::from_millis(1), ..HttpSettings::default() };
        let world = World::of(TestPlatform::telling(), Doors::Open, settings);
        let failed = world.tenant_in(Status::Failed);
        let place = furnished(&world, "beta").await;
        signing_keys::ensure(world.platform()).unwrap();
        let operator = world.operator();
        let key = world.key(Some(tenant_of(&world, "beta")), &Scope::ALL);
        let body = json!({ "email": "pat@beta.com", "password": PASSWORD });
        assert_eq!(world.post("/api/v1/beta/auth/register", &operator, &body).await.status, 201);
        let (_, token) = world.announced("announced");
        let mut scene = Self {
            person: sign_in(&world).await,
            world,
            place,
            operator,
            key,
            made: HashMap::from([("failed".to_owned(), failed.to_string()), ("announced".to_owned(), token)]),
        };
        let other = sign_in(&scene.world).await;
        let path = "/api/v1/beta/auth/sessions";
        let own = scene.world.get(path, &other.access).await.json();
        let current = |session: &&Value| session["current"] == true;
        let id = own["items"].as_array().unwrap().iter().find(current).unwrap()["id"].as_str().unwrap();
        scene.made.insert("session".to_owned(), id.to_owned());
        scene
    }

    /// What the name in a path stands for, or what an operation made.
    pub(super) fn id(&self, name: &str) -> Value {
        let id = self.place.iter().find(|(known, _)| *known == name).map(|(_, id)| id);
        json!(id.or_else(|| self.made.get(name)).unwrap_or_else(|| panic!("nothing is called {name}")))
    }

    /// Does what has to be done before the operation, and is none of it.
    pub(super) async fn prepare(&mut self, row: &Row) {
        if row.anew {
            self.person = sign_in(&self.world).await;
        }
    }

    pub(super) async fn send(&self, row: &Row, method: &str, path: &str) -> Reply {
        let text = |name: &str| self.id(name).as_str().unwrap().to_owned();
        let mut path = path.to_owned();
        for (name, made) in row.about {
            path = path.replace(&format!("{{{name}}}"), &text(made));
        }
        for (name, id) in &self.place {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let request = TestRequest::default().method(method.parse().unwrap()).uri(&path);
        let request = match row.by {
            By::Operator => authorised(request, &self.operator),
            By::Key => authorised(request, &self.key),
            By::Person => authorised(request, &self.person.access),
            By::Cookie => request.cookie(self.person.refresh.clone()),
            By::Confirmation => authorised(request, &text("announced")),
            By::Client => {
                let (id, secret) = (text("createApiKey"), text("createApiKey's text"));
                let grant = ("grant_type", "client_credentials");
                request.set_form([grant, ("client_id", id.as_str()), ("client_secret", secret.as_str())])
            }
            By::Nobody => request,
        };
        match row.body {
            Some(body) => self.world.send(request.set_json(body(self))).await,
            None => self.world.send(request).await,
        }
    }

    /// Keeps the id of what was made, and the text of a key.
    pub(super) fn learn(&mut self, operation: &str, answer: &Value) {
        for (member, name) in [("id", ""), ("accountId", ""), ("key", "'s text")] {
            if let Some(text) = answer[member].as_str() {
                self.made.insert(format!("{operation}{name}"), text.to_owned());
            }
        }
    }

    /// What is in the tenant's log.
    pub(super) fn log(&self) -> Vec<Event> {
        let reference = TenantRef::Id(tenant_of(&self.world, "beta"));
        let tenant = find(self.world.platform(), &reference).unwrap().unwrap();
        let scope = TenantScope::maintenance(&tenant).unwrap();
        let store = self.world.platform().stores.open(&scope).unwrap();
        let entries = store.read(|tx| tx.log().page(0, 1000)).map_err(|error: StoreError| error).unwrap();
        entries.into_iter().map(LogEntry::told).collect()
    }

    /// What is in the platform's log.
    pub(super) fn platform_log(&self) -> Vec<Event> {
        let entries = self.world.platform().control.read(|tx| tx.log().page(0, 1000));
        let entries = entries.map_err(|error: StoreError| error).unwrap();
        entries.into_iter().map(LogEntry::told).collect()
    }

    /// The events that tenants are told of outside, and their types.
    pub(super) fn told(&self) -> Vec<(EventId, String)> {
        let filter = NoticeFilter::default();
        let page = self.world.platform().control.read(|tx| tx.notices().page(&filter, None, 1000));
        let mut notices = page.map_err(|error: StoreError| error).unwrap();
        notices.retain(|record| record.notice.channel == Channel::Webhook);
        notices.reverse();
        notices.into_iter().map(|record| (record.notice.id, record.notice.event.to_string())).collect()
    }
}

async fn sign_in(world: &World) -> SignedIn {
    let body = json!({ "email": "pat@beta.com", "password": PASSWORD });
    let reply = world.send(post("/api/v1/beta/auth/login", "").set_json(body)).await;
    assert_eq!(reply.status, 200, "{:?}", reply.bytes);
    let refresh = cookies(&reply).into_iter().find(|cookie| cookie.name() == "refreshToken").unwrap();
    SignedIn { access: reply.json()["accessToken"].as_str().unwrap().to_owned(), refresh }
}
