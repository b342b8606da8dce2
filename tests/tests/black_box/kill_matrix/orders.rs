//! What the workers are given to do.

use serde_json::{Value, json};

use super::inspection;
use super::roads::{Order, Road};
use super::world::{World, wait_until};
use crate::steps::{confirm, init};

/// Who the admins are, and how they sign in.
pub(super) const EMAIL: &str = "admin@acme.example";
pub(super) const PASSWORD: &str = "A fox in the kill matrix 7";

/// A tenant that was ordered here.
#[derive(Debug, Clone)]
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) id: String,
    pub(super) slug: String,
}

impl World {
    /// Has so many orders wait.
    pub(super) fn prepare(&mut self, road: &Road, orders: usize) {
        while !matches!(road.order, Order::FullerPool | Order::NoPool) && self.waiting.len() < orders {
            self.order(road.order);
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        if order == Order::End {
            return self.order_end();
        }
        let slug = format!("acme-{}", self.tenants.len());
        let mut operator = self.api.operator();
        let path = format!("/api/v1/tenants/{slug}");
        if order == Order::TenantWithAdmin {
            let body = json!({ "name": "Acme", "subdomain": slug, "admin": { "email": EMAIL, "password": PASSWORD } });
            // The answer comes when the tenant is in service, which it may never be.
            let _connection = operator.request("POST", "/api/v1/tenants").json(&body).send_off();
            wait_until(|| match self.api.operator().get(&path).status {
                200 => Vec::new(),
                status => vec![format!("the order was not taken: {status}")],
            });
        } else {
            let (_, token) = init(&self.api, &slug);
            if order == Order::TenantWithoutName {
                inspection::take_name(&self.installation, &slug);
            }
            confirm(&self.api, &token);
        }
        let id = operator.get(&path).expect(200).json()["id"].as_str().unwrap().to_owned();
        let ordered = Ordered { order, id, slug };
        self.tenants.push(ordered.clone());
        self.waiting.push(ordered);
    }

    /// Ends one of the tenants in service.
    fn order_end(&mut self) {
        let is_active =
            |tenant: &Ordered| tenant.order != Order::End && self.look(tenant)["status"] == "Active";
        let index = self.tenants.iter().position(is_active).expect("there are tenants in service");
        let path = format!("/api/v1/tenants/{}?immediately=true", self.tenants[index].id);
        self.api.operator().request("DELETE", &path).send().expect(202);
        self.tenants[index].order = Order::End;
        self.waiting.push(self.tenants[index].clone());
    }

    /// Has those tried again that have failed.
    pub(super) fn retry(&mut self) {
        for tenant in self.list().iter().filter(|tenant| tenant["status"] == "Failed") {
            let path = format!("/api/v1/tenants/{}/retry", tenant["id"].as_str().unwrap());
            self.api.operator().request("POST", &path).send().expect(200);
        }
    }

    pub(super) fn note_what_was_begun(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|ordered| !is_begun(&self.look(ordered)));
        self.waiting = waiting;
    }
}

/// Whether a worker has committed that it works on it.
fn is_begun(tenant: &Value) -> bool {
    tenant["status"] != "QUEUED" && tenant["state"]["begun"] != false
}
