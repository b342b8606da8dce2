use std::collections::BTreeSet;

use tenantry_domain::event::EventType;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{
    ClusterName, DatabaseName, DatabasePrefix, Former, Home, Lifecycle, Plan, Run, Slug, StepError, StepKind,
    StepRecord, StepStatus, Tenant, TenantName,
};
use tenantry_ports::{
    Algorithm, ApiKey, Channel, ConfirmClaims, Digest as _, Ids as _, Notice, PooledDatabase, Scope,
    SigningKey, TenantScope,
};
use uuid::Uuid;

use super::{IDS, ODD_TEXT, at, email, id, json_object, now};
use crate::FakeDigest;

/// A tenant that waits for its confirmation, with the database name of the default prefix.
///
/// # Panics
/// If `slug` is none.
pub fn tenant(slug: &str) -> Tenant {
    let slug = Slug::new(slug).expect("a valid slug");
    Tenant {
        id: TenantId::new(IDS.random()),
        name: TenantName::new(format!("{slug} Ltd.")).expect("a slug is short enough"),
        database: DatabaseName::of(&DatabasePrefix::default(), &slug),
        home: Home::default(),
        plan: Plan::Basic,
        contact_email: Some(email(&format!("Admin@{slug}.example"))),
        config: Some(json_object()),
        lifecycle: Lifecycle::announced(IDS.random(), now()),
        version: 1,
        created_at: now(),
        updated_at: now(),
        slug,
    }
}

/// The tenant with another prefix for its database's name.
pub fn database_of(tenant: Tenant, prefix: &DatabasePrefix) -> Tenant {
    Tenant { database: DatabaseName::of(prefix, &tenant.slug), ..tenant }
}

/// The name.
///
/// # Panics
/// If it is none.
pub fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name).expect("a valid cluster name")
}

/// A pooled database on the default server, ordered at [`now`].
pub fn pooled_database(prefix: &DatabasePrefix) -> PooledDatabase {
    let id = IDS.random();
    PooledDatabase {
        id,
        cluster: ClusterName::default(),
        database: DatabaseName::pooled(prefix, id),
        created_at: now(),
    }
}

/// Every state of a tenant, with distinct facts; `Failed` twice, and `Deprovisioning` for all that it may have been,
/// begun and not.
pub fn lifecycles() -> Vec<Lifecycle> {
    let failed = |needs_attention| Lifecycle::Failed { at: at(5), reason: step_error(), needs_attention };
    let failure = |needs_attention| Former::Failed { reason: step_error(), needs_attention };
    let mut lifecycles = vec![
        Lifecycle::PendingValidation { token: IDS.random(), expires_at: at(900) },
        Lifecycle::Queued { since: at(1) },
        Lifecycle::Provisioning { since: at(2) },
        Lifecycle::Active { since: at(3) },
        Lifecycle::Suspended { since: at(4) },
        failed(false),
        failed(true),
        Lifecycle::Expired { at: at(6) },
        Lifecycle::Deleted { at: at(8) },
    ];
    for former in [Former::Active, Former::Suspended, failure(false), failure(true)] {
        lifecycles.extend([false, true].map(|begun| Lifecycle::Deprovisioning {
            since: at(7),
            drop_at: at(604_800),
            begun,
            former: former.clone(),
        }));
    }
    lifecycles
}

/// What went wrong in a step.
pub fn step_error() -> StepError {
    StepError::new("database_unavailable", ODD_TEXT)
}

/// The tenant's first run, announced, without an admin.
pub fn run(tenant: &Tenant) -> Run {
    Run::announced(tenant.id, 1, false, "Tenant announced", now())
}

/// A journal with a record in every status, and every member of a record both absent and present.
pub fn journal() -> Vec<StepRecord> {
    let record = |kind, attempt, second| StepRecord::begun(kind, attempt, at(second));
    let mut init = record(StepKind::Init, 1, 0);
    init.succeed(ODD_TEXT, at(1));
    let mut failed = record(StepKind::CreateDatabase, 1, 2);
    failed.fail(step_error(), at(3));
    let mut rolled_back = record(StepKind::CreateDatabase, 2, 4);
    rolled_back.succeed("", at(5));
    rolled_back.undo(at(6));
    let in_progress = record(StepKind::ApplyMigrations, 1, 7);
    let pending =
        StepRecord { status: StepStatus::Pending, started_at: None, ..record(StepKind::SeedData, 1, 8) };
    vec![init, failed, rolled_back, in_progress, pending]
}

/// A live key of this tenant, or of the operator.
pub fn api_key(tenant: Option<TenantId>) -> ApiKey {
    let id = id();
    let lookup = format!("tk_{}", id.uuid().simple());
    ApiKey {
        id,
        tenant,
        name: "Website back end".to_owned(),
        hash: FakeDigest.sha256(lookup.as_bytes()),
        lookup,
        last4: "9f3Z".to_owned(),
        scopes: BTreeSet::from([Scope::AccountsRead, Scope::AccountsWrite]),
        created_by: "operator".to_owned(),
        created_at: now(),
        expires_at: Some(at(86_400)),
        revoked_at: None,
        last_used_at: None,
        request: None,
        version: 1,
    }
}

/// The signing key of this number: it signs from a minute after [`now`] on, and nobody knows until when.
pub fn signing_key(number: i64) -> SigningKey {
    SigningKey {
        kid: format!("kid-{number}"),
        number,
        algorithm: Algorithm::Es256,
        public_jwk: format!(r#"{{"kid":"kid-{number}"}}"#),
        sealed_private: Some(format!("sealed-{number}")),
        created_at: now(),
        signs_from: at(60),
        signs_until: None,
        verifies_until: None,
        version: 1,
    }
}

/// A webhook's notice about this tenant, written down at [`now`].
pub fn notice(tenant: TenantId) -> Notice {
    Notice {
        id: id(),
        channel: Channel::Webhook,
        tenant,
        event: EventType::TENANT_ACTIVATED,
        payload: serde_json::Value::from(json_object()).to_string(),
        created_at: now(),
    }
}

/// What the tenant's confirmation token says; a token of nobody's if the tenant does not wait for one.
pub fn confirm_claims(tenant: &Tenant) -> ConfirmClaims {
    let (token, expires_at) = match tenant.lifecycle {
        Lifecycle::PendingValidation { token, expires_at } => (token, expires_at),
        _ => (Uuid::nil(), at(900)),
    };
    ConfirmClaims {
        tenant: tenant.id,
        slug: tenant.slug.clone(),
        token,
        issued_at: tenant.created_at,
        expires_at,
    }
}

/// A scope to provision and serve the database of a new tenant with this slug.
///
/// # Panics
/// If `slug` is none.
pub fn scope(slug: &str) -> TenantScope {
    scope_of(&tenant(slug))
}

/// A scope over the tenant's database, whatever state the tenant is in.
pub fn scope_of(tenant: &Tenant) -> TenantScope {
    let provisioning = Tenant { lifecycle: Lifecycle::Provisioning { since: now() }, ..tenant.clone() };
    TenantScope::provisioning(&provisioning).expect("it is provisioning")
}
