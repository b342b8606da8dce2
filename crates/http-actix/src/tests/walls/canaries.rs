//! Tenants whose every text is recognisable, and the things in them that paths can name.

use serde_json::json;
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Plan, Slug, TenantName};
use tenantry_ports::{Scope, Secret};
use tenantry_usecases::tenants::{self, CreateTenant, NewAdmin};

use super::super::{Reply, World, authorised, config, post};
use super::callers::{self, Registered};
use super::organisation;

/// A tenant full of canaries.
pub(super) struct Furnished {
    pub(super) id: TenantId,
    pub(super) slug: String,
    /// What stands for the names in paths: the tenant, and one of every kind of thing that it has.
    pub(super) place: Vec<(&'static str, String)>,
    canary: String,
}

/// Ids of every kind of thing, of which there is none of.
const NOTHING: [(&str, &str); 17] = [
    ("userId", "usr_0195c0de00007000800000000000000a"),
    ("sessionId", "ses_0195c0de00007000800000000000000a"),
    ("accountId", "acc_0195c0de00007000800000000000000a"),
    ("keyId", "key_0195c0de00007000800000000000000a"),
    ("processId", "pc_0195c0de00007000800000000000000a"),
    ("configId", "no-such-config"),
    ("eventId", "evt_0195c0de00007000800000000000000a"),
    ("webhookId", "hook_0195c0de00007000800000000000000a"),
    ("deliveryId", "dlv_0195c0de00007000800000000000000a"),
    ("companyCodeId", "cc_0195c0de00007000800000000000000a"),
    ("plantId", "plant_0195c0de00007000800000000000000a"),
    ("storageLocationId", "sloc_0195c0de00007000800000000000000a"),
    ("purchasingOrgId", "porg_0195c0de00007000800000000000000a"),
    ("purchasingGroupId", "pgrp_0195c0de00007000800000000000000a"),
    ("porgAssignmentId", "pasg_0195c0de00007000800000000000000a"),
    // Who has the id of a provisioning may see it, so another tenant has none.
    ("provisioningId", "3fa85f64-5717-4562-b3fc-2c963f66afa6"),
    ("code", "not_found"),
];

/// What stands for the names in paths where there is nothing of that name.
pub(super) fn nothing_in(tenant: &str) -> Vec<(&'static str, String)> {
    // A version of a config is a number, the same everywhere.
    let tenant =
        [("tenantId", tenant), ("tenant", tenant), ("version", "1")].map(|(name, id)| (name, id.to_owned()));
    tenant.into_iter().chain(NOTHING.map(|(name, id)| (name, id.to_owned()))).collect()
}

impl Furnished {
    pub(super) async fn tenant(world: &World, slug: &str) -> Self {
        let canary = format!("canary-{slug}-7f3a");
        let command = CreateTenant {
            name: TenantName::new(format!("{canary} Ltd.")).unwrap(),
            slug: Slug::new(slug).unwrap(),
            plan: Plan::Basic,
            config: json!({ "note": canary }).as_object().cloned(),
            cluster: None,
            admin: NewAdmin {
                email: Email::new(format!("{canary}@example.com")).unwrap(),
                username: None,
                password: Secret::new("ChangeMe123!"),
                first_name: None,
                last_name: None,
            },
        };
        let id = tenants::create(world.platform(), command).unwrap().tenant.id;
        world.work();
        let key = world.key(Some(id), &Scope::ALL);
        let base = format!("/api/v1/tenants/{slug}");
        let own = format!("{slug}-own-v1");
        let mut document = config(&own);
        document["displayName"] = json!(canary);
        assert_eq!(world.post(&format!("{base}/configs"), &key, &document).await.status, 201);
        let body = json!({ "userId": canary, "configId": own, "meta": { "note": canary } });
        let account = world.post(&format!("{base}/accounts"), &key, &body).await;
        assert_eq!(account.status, 201);
        let operator = world.operator();
        let body = json!({ "name": canary, "scopes": ["accounts:read"] });
        let made = world.post(&format!("{base}/api-keys"), &operator, &body).await;
        let settings = json!({ "allowedConfigs": [own, "demo-25k-eval-v1"] });
        let request =
            actix_web::test::TestRequest::put().uri(&format!("{base}/settings")).set_json(&settings);
        assert_eq!(world.send(authorised(request, &key)).await.status, 200);
        let process = process(world, slug, &canary).await;
        let organisation = organisation::furnish(world, slug, &canary).await;
        let (webhook, delivery) = webhook(world, id, &key, &canary).await;
        let (person, session) = person(world, slug, &format!("{canary}-person")).await;
        let events = world.get(&format!("{base}/events?eventType=settings.updated"), &key).await;
        let event = events.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let text = |reply: &Reply, member: &str| reply.json()[member].as_str().unwrap().to_owned();
        let mut furnished = Self { id, slug: slug.to_owned(), place: nothing_in(slug), canary };
        for (name, id) in [
            ("accountId", text(&account, "accountId")),
            ("keyId", text(&made, "id")),
            ("configId", own),
            ("eventId", event),
            ("webhookId", webhook),
            ("deliveryId", delivery),
            ("processId", process),
            ("userId", person),
            ("sessionId", session),
        ]
        .into_iter()
        .chain(organisation)
        {
            furnished.place.iter_mut().find(|(known, _)| *known == name).unwrap().1 = id;
        }
        furnished
    }

    /// The same, and then it is deleted, with its database.
    pub(super) async fn deleted(world: &World, slug: &str) -> Self {
        let tenant = Self::tenant(world, slug).await;
        let path = format!("/api/v1/tenants/{slug}?immediately=true");
        let request = actix_web::test::TestRequest::delete().uri(&path);
        assert_eq!(world.send(authorised(request, &world.operator())).await.status, 202);
        world.work();
        tenant
    }

    /// The same, but for what is called this, which is `id`.
    pub(super) fn place_with(&self, name: &str, id: &str) -> Vec<(&'static str, String)> {
        let mut place = self.place.clone();
        id.clone_into(&mut place.iter_mut().find(|(known, _)| *known == name).unwrap().1);
        place
    }

    /// The same things, looked for in this tenant.
    pub(super) fn place_in(&self, tenant: &str) -> Vec<(&'static str, String)> {
        let mut place = self.place.clone();
        for (name, value) in &mut place {
            if ["tenantId", "tenant"].contains(name) {
                tenant.clone_into(value);
            }
        }
        place
    }

    /// Whether anything of this tenant is in an answer.
    pub(super) fn is_seen(&self, reply: &Reply) -> bool {
        let body = String::from_utf8_lossy(&reply.bytes).to_lowercase();
        let headers =
            reply.headers.iter().map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
        body.contains(&self.canary) || headers.into_iter().any(|value| value.contains(&self.canary))
    }

    #[track_caller]
    pub(super) fn assert_unseen(&self, reply: &Reply) {
        assert!(!self.is_seen(reply), "{} is in {:?} {:?}", self.canary, reply.headers, reply.bytes);
    }
}

/// The id of a process of this name, beside a basis that says it, too.
async fn process(world: &World, slug: &str, canary: &str) -> String {
    let step = json!({ "stepName": canary, "requiredRole": canary });
    let body = json!({
        "tenantConfig": {
            "orgStructure": { "note": canary }, "businessVariants": [{ "name": canary, "code": canary }]
        },
        "processConfig": { "name": canary, "processType": canary, "steps": [step] }
    });
    let reply = world.post(&format!("/api/v1/{slug}/config/basis"), &world.operator(), &body).await;
    assert_eq!(reply.status, 200, "{:?}", reply.bytes);
    reply.json()["processConfig"]["id"].as_str().unwrap().to_owned()
}

/// The ids of a webhook endpoint with this in its URL, and of what was delivered to it.
async fn webhook(world: &World, tenant: TenantId, key: &str, canary: &str) -> (String, String) {
    let url = format!("https://hooks.example.com/{canary}");
    let body = json!({ "url": url, "description": canary });
    let base = format!("/api/v1/tenants/{tenant}/webhooks");
    let made = world.post(&base, key, &body).await;
    assert_eq!(made.status, 201, "{:?}", made.bytes);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{base}/{id}");
    let change = actix_web::test::TestRequest::patch().uri(&path).set_json(json!({ "eventTypes": ["*"] }));
    assert_eq!(world.send(authorised(change, key)).await.status, 200);
    super::super::webhooks::deliver(world, tenant).await;
    let delivered = world.get(&format!("{path}/deliveries"), key).await.json();
    (id, delivered["items"][0]["id"].as_str().unwrap().to_owned())
}

/// The ids of somebody with this name, and of the session that they began at a device of this name.
async fn person(world: &World, slug: &str, name: &str) -> (String, String) {
    let Registered { id, .. } = callers::register(world, slug, name, "USER").await;
    let body = json!({ "email": format!("{name}@{slug}.com"), "password": "SecurePassword123!" });
    let login = post(&format!("/api/v1/{slug}/auth/login"), "").insert_header(("User-Agent", name));
    assert_eq!(world.send(login.set_json(body)).await.status, 200);
    let path = format!("/api/v1/{slug}/users/{id}/sessions");
    let sessions = world.get(&path, &world.operator()).await.json();
    let at_device = |session: &&serde_json::Value| session["userAgent"] == name;
    let session = sessions["items"].as_array().unwrap().iter().find(at_device);
    (id, session.unwrap()["id"].as_str().unwrap().to_owned())
}
