//! What a tenant's state means to those who call: every operation in every state.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_ports::{DatabaseFault, Scope};
use tenantry_testkit::{DatabaseCall, FailureMoment};
use tenantry_usecases::tenants::{self, Target};

use super::authorisation::{Operation, assert_admitted, call, operations};
use super::{Reply, World, post};
use crate::endpoint::Who;

impl World {
    /// A new acme in this state, brought there as everybody else would be. One that goes has not begun to.
    pub(crate) fn tenant_in(&self, status: Status) -> TenantId {
        match status {
            Status::PendingValidation => self.announced("acme").0,
            Status::Expired => {
                let (tenant, _) = self.announced("acme");
                self.test.clock.advance(TimeDelta::minutes(16));
                assert_eq!(tenants::expire(self.platform()).unwrap(), 1);
                tenant
            }
            Status::Queued => self.queued("acme"),
            Status::Provisioning => {
                let tenant = self.queued("acme");
                self.fail(DatabaseCall::Migrate, DatabaseFault::Passing);
                self.work();
                tenant
            }
            Status::Failed => {
                let tenant = self.queued("acme");
                self.fail(DatabaseCall::Migrate, DatabaseFault::Lasting);
                self.work();
                tenant
            }
            Status::Active => self.tenant_with_admin("acme"),
            Status::Suspended => {
                let tenant = self.tenant_with_admin("acme");
                tenants::suspend(self.platform(), any(tenant)).unwrap();
                tenant
            }
            Status::Deprovisioning => {
                let tenant = self.tenant_with_admin("acme");
                tenants::deprovision(self.platform(), any(tenant), None).unwrap();
                tenant
            }
            Status::Deleted => {
                let tenant = self.tenant_with_admin("acme");
                tenants::deprovision(self.platform(), any(tenant), Some(TimeDelta::zero())).unwrap();
                self.work();
                tenant
            }
        }
    }

    /// A tenant whose database a worker could not drop yet.
    pub(crate) fn dropping(&self) -> TenantId {
        let tenant = self.tenant_with_admin("acme");
        tenants::deprovision(self.platform(), any(tenant), Some(TimeDelta::zero())).unwrap();
        self.fail(DatabaseCall::Remove, DatabaseFault::Passing);
        self.work();
        tenant
    }

    fn queued(&self, slug: &str) -> TenantId {
        let (tenant, token) = self.announced(slug);
        tenants::confirm(self.platform(), &token).unwrap();
        tenant
    }

    pub(crate) fn fail(&self, call: DatabaseCall, fault: DatabaseFault) {
        self.test.databases.fail(call, FailureMoment::BeforeEffect, fault, 1);
    }

    pub(crate) fn status_of(&self, tenant: TenantId) -> Status {
        tenants::progress(self.platform(), tenant).unwrap().unwrap().tenant.lifecycle.status()
    }
}

/// The tenant, whatever its version.
pub(crate) const fn any(tenant: TenantId) -> Target<'static> {
    Target { tenant, version: None, by: "operator" }
}

/// What the calls of a tenant's own and of the operator are answered in this state, and whether waiting is said to help.
const fn expected(status: Status, by_operator: bool) -> (&'static str, u16, bool) {
    match status {
        Status::Active => ("", 0, false),
        Status::PendingValidation | Status::Queued | Status::Provisioning => ("tenant_not_ready", 409, true),
        Status::Failed => ("tenant_failed", 409, false),
        Status::Suspended => ("tenant_suspended", 403, false),
        Status::Deprovisioning => ("tenant_deprovisioning", 409, false),
        Status::Expired | Status::Deleted if by_operator => ("tenant_not_found", 404, false),
        Status::Expired | Status::Deleted => ("wrong_tenant", 403, false),
    }
}

#[track_caller]
fn assert_answered(reply: &Reply, operation: &Operation, status: Status, by_operator: bool) {
    let (code, http, waiting_helps) = match expected(status, by_operator) {
        // Where the path begins with it, it is not a thing like others.
        ("tenant_not_found", ..) if !operation.path.contains("/tenants/") => {
            ("missing_tenant_context", 400, false)
        }
        expected => expected,
    };
    if code.is_empty() {
        return assert_admitted(reply, operation);
    }
    let about = format!("{} {} while {status}", operation.method, operation.path);
    let problem = reply.problem(code);
    assert_eq!(reply.status.as_u16(), http, "{about}");
    assert_eq!(reply.header("retry-after").is_some(), waiting_helps, "{about}: {problem}");
}

#[actix_web::test]
async fn every_operation_in_every_state_says_what_the_state_is() {
    for status in Status::ALL {
        let world = World::new();
        let tenant = world.tenant_in(status);
        assert_eq!(world.status_of(tenant), status);
        let (machine, operator) = (world.key(Some(tenant), &Scope::ALL), world.operator());
        for operation in operations(&tenant.to_string()) {
            let by_operator = call(&world, &operation, &operator);
            match operation.who {
                // Those are a table of their own.
                Who::Operator => {}
                Who::Scope(_) => {
                    assert_answered(&by_operator.await, &operation, status, true);
                    assert_answered(&call(&world, &operation, &machine).await, &operation, status, false);
                }
                Who::Person => drop(by_operator.await.problem("forbidden")),
                // What is kept in the control database is there in any state, a tenant's people are not.
                _ if operation.path.starts_with("/api/v1/tenants/") => {
                    assert_admitted(&by_operator.await, &operation);
                }
                _ => assert_answered(&by_operator.await, &operation, status, true),
            }
        }
    }
}

#[actix_web::test]
async fn the_people_of_a_tenant_that_is_out_of_service_are_told_why() {
    for status in [Status::Suspended, Status::Deprovisioning, Status::Deleted] {
        let world = World::new();
        world.tenant_with_admin("acme");
        let admin = world.admin("acme").await;
        let tenant = tenants::find(world.platform(), &"acme".parse().unwrap()).unwrap().unwrap().id;
        match status {
            Status::Suspended => drop(tenants::suspend(world.platform(), any(tenant)).unwrap()),
            going => {
                let grace = (going == Status::Deleted).then(TimeDelta::zero);
                tenants::deprovision(world.platform(), any(tenant), grace).unwrap();
                world.work();
            }
        }
        assert_eq!(world.status_of(tenant), status);
        let world = world.replica();
        for operation in operations(&tenant.to_string()) {
            if operation.who != Who::Operator {
                assert_answered(&call(&world, &operation, &admin).await, &operation, status, false);
            }
        }
    }
}

fn credentials(password: &str) -> serde_json::Value {
    json!({ "email": "admin@acme.com", "password": password })
}

#[actix_web::test]
async fn signing_in_tells_only_those_with_the_password_that_the_tenant_is_out_of_service() {
    const LOGIN: &str = "/api/v1/acme/auth/login";
    for (status, code) in [
        (Status::Suspended, "tenant_suspended"),
        (Status::Deprovisioning, "tenant_deprovisioning"),
        (Status::Deleted, "invalid_credentials"),
    ] {
        let world = World::new();
        world.tenant_in(status);
        let reply = world.post(LOGIN, "", &credentials("ChangeMe123!")).await;
        reply.problem(code);
        assert!(reply.header("set-cookie").is_none());
        let stranger = world.post(LOGIN, "", &credentials("wrong")).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{status}");
        stranger.problem("invalid_credentials");
    }
}

#[actix_web::test]
async fn a_suspension_is_in_force_here_at_once_and_on_every_replica_within_a_second() {
    let world = World::new();
    let replica = world.replica();
    let tenant = world.tenant_with_admin("acme");
    let (admin, machine) = (world.admin("acme").await, world.key(Some(tenant), &Scope::ALL));
    let accounts = "/api/v1/tenants/acme/accounts";
    for server in [&world, &replica] {
        for credential in [&admin, &machine] {
            assert_eq!(server.get(accounts, credential).await.status, StatusCode::OK);
        }
    }
    let operator = world.operator();
    let suspended = world.send(post("/api/v1/tenants/acme/suspend", &operator)).await;
    let since = Instant::now();
    assert_eq!(suspended.status, StatusCode::OK);
    for credential in [&admin, &machine] {
        world.get(accounts, credential).await.problem("tenant_suspended");
    }
    loop {
        let asked = since.elapsed();
        if replica.get(accounts, &machine).await.status != StatusCode::OK {
            break;
        }
        assert!(asked < Duration::from_secs(1), "it is still served");
        actix_web::rt::task::yield_now().await;
    }
    replica.get(accounts, &admin).await.problem("tenant_suspended");
    replica
        .post("/api/v1/acme/auth/login", "", &credentials("ChangeMe123!"))
        .await
        .problem("tenant_suspended");

    world.send(post("/api/v1/tenants/acme/resume", &operator)).await;
    for server in [&world, &replica] {
        assert_eq!(server.get(accounts, &machine).await.status, StatusCode::OK);
    }
}
