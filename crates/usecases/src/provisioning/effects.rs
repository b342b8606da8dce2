//! What each step does, and how it is undone.

use tenantry_domain::people::{Role, User};
use tenantry_domain::tenant::{Home, StepError, StepKind, Tenant};
use tenantry_ports::{
    DatabaseError, DatabaseFault, NotReady, PendingAdmin, Permit, PooledDatabase, StoreError, TenantScope,
};

use super::seed::seed;
use crate::Platform;
use crate::journal;

/// Why an effect did not come about (or cannot be said to have).
#[derive(Debug)]
pub(super) struct Fault {
    /// Whether trying again may help.
    pub(super) passing: bool,
    /// For strangers.
    pub(super) public: StepError,
    /// For the log.
    pub(super) detail: String,
}

/// Where a run does its steps.
pub(super) struct Site<'a> {
    pub(super) platform: &'a Platform,
    pub(super) tenant: &'a Tenant,
    /// The pooled database that the run has taken.
    pub(super) taken: Option<&'a PooledDatabase>,
    pub(super) admin: Option<&'a PendingAdmin>,
    /// Whether the run is still the worker's.
    pub(super) permit: Permit<'a>,
}

/// What came of a step.
pub(super) struct Done {
    /// The sentence for the journal.
    pub(super) log: String,
    /// The database came from the pool, with everything in it.
    pub(super) from_pool: bool,
}

impl Done {
    fn with(log: impl Into<String>) -> Self {
        Self { log: log.into(), from_pool: false }
    }
}

/// Does a step, again if need be.
pub(super) fn perform(site: &Site<'_>, kind: StepKind) -> Result<Done, Fault> {
    let Site { platform, tenant, .. } = *site;
    let scope = TenantScope::provisioning(tenant)?;
    let (id, database) = (tenant.id, &tenant.database);
    match kind {
        StepKind::Init => Ok(Done::with("Provisioning initialized")),
        StepKind::CreateDatabase => {
            tracing::info!("Creating database {database} for tenant {id}");
            let from_pool = adopt(site)?;
            if !from_pool {
                platform.databases.create(&scope, site.permit)?;
            }
            tracing::info!("Database {database} created for tenant {id}");
            Ok(Done { log: format!("Database {database} created successfully"), from_pool })
        }
        StepKind::ApplyMigrations => {
            tracing::info!("Applying migrations to database {database} for tenant {id}");
            platform.databases.migrate(&scope)?;
            tracing::info!("Migrations applied to {database} for tenant {id}");
            Ok(Done::with(log_of_success(kind)))
        }
        StepKind::SeedData => {
            tracing::info!("Seeding data for tenant {id} in database {database}");
            seed(platform, &scope)?;
            tracing::info!("Data seeded for tenant {id}");
            Ok(Done::with(log_of_success(kind)))
        }
        StepKind::CreateAdmin => {
            let admin = site.admin.ok_or_else(|| Fault::lasting("the run has lost its pending admin"))?;
            create_admin(platform, &scope, admin)?;
            Ok(Done::with(log_of_success(kind)))
        }
        StepKind::DropDatabase => {
            remove(site)?;
            tracing::info!("Database {database} dropped for tenant {id}");
            Ok(Done::with(format!("Database {database} dropped")))
        }
    }
}

/// The sentence for the journal where it is always the same.
pub(super) const fn log_of_success(kind: StepKind) -> &'static str {
    match kind {
        StepKind::ApplyMigrations => "Migrations applied successfully",
        StepKind::SeedData => "Demo data seeded successfully",
        StepKind::CreateAdmin => "Admin created successfully",
        StepKind::Init | StepKind::CreateDatabase | StepKind::DropDatabase => "Done",
    }
}

/// Makes sure nothing is left of a step. All that later steps make lives in the database, and goes with it.
pub(super) fn undo(site: &Site<'_>, kind: StepKind) -> Result<(), Fault> {
    match kind {
        StepKind::CreateDatabase => remove(site),
        StepKind::Init
        | StepKind::ApplyMigrations
        | StepKind::SeedData
        | StepKind::CreateAdmin
        | StepKind::DropDatabase => Ok(()),
    }
}

/// The tenant's database, made from the pooled one; false if that is not there.
fn adopt(site: &Site<'_>) -> Result<bool, Fault> {
    let Some(pooled) = site.taken else { return Ok(false) };
    let scope = scope_with_login_of(site.tenant, pooled)?;
    let adopted = site.platform.databases.adopt(&TenantScope::pooled(pooled), &scope, site.permit)?;
    if !adopted {
        // What is made now must not be taken for the pool's by a later attempt.
        site.platform.control.write(|tx| tx.pool().forget_taken(site.tenant.id))?;
    }
    Ok(adopted)
}

/// Removes what the tenant has, under its own name or still under that of the pool.
fn remove(site: &Site<'_>) -> Result<(), Fault> {
    let databases = &site.platform.databases;
    if let Some(pooled) = site.taken {
        databases.remove(&TenantScope::pooled(pooled), site.permit)?;
        databases.remove(&scope_with_login_of(site.tenant, pooled)?, site.permit)?;
    }
    Ok(databases.remove(&TenantScope::provisioning(site.tenant)?, site.permit)?)
}

/// A pooled database keeps its login when it becomes the tenant's.
fn scope_with_login_of(tenant: &Tenant, pooled: &PooledDatabase) -> Result<TenantScope, NotReady> {
    let home = Home { login: Some(pooled.id), ..tenant.home.clone() };
    TenantScope::provisioning(&Tenant { home, ..tenant.clone() })
}

fn create_admin(platform: &Platform, scope: &TenantScope, admin: &PendingAdmin) -> Result<(), StoreError> {
    let now = platform.clock.now();
    let user = User {
        id: admin.id,
        email: admin.email.clone(),
        username: admin.username.clone(),
        first_name: admin.first_name.clone(),
        last_name: admin.last_name.clone(),
        role: Role::Admin,
        abilities: Role::Admin.abilities(),
        active: true,
        verified: true,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        if tx.users().get(user.id)?.is_some() {
            return Ok(());
        }
        tx.users().insert(&user, &admin.password_hash)?;
        let created = journal::people::user_created(&user, "provisioning", "provisioning".to_owned());
        journal::append(platform, scope, tx, head, vec![created], now)
    })
}

impl Fault {
    fn lasting(detail: impl ToString) -> Self {
        let public =
            StepError::new("step_failed", "The step could not be completed; the operator has the details");
        Self { passing: false, public, detail: detail.to_string() }
    }

    fn unavailable(detail: impl ToString) -> Self {
        let public = StepError::new("database_unavailable", "Failed to connect to database server");
        Self { passing: true, public, detail: detail.to_string() }
    }
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        match error.fault {
            DatabaseFault::Passing => Self::unavailable(error),
            DatabaseFault::Lasting => Self::lasting(error),
            DatabaseFault::Foreign => {
                let sentence = "A database of that name exists already and does not belong to this tenant";
                Self { public: StepError::new("database_name_taken", sentence), ..Self::lasting(error) }
            }
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            other => Self::lasting(other),
        }
    }
}

impl From<NotReady> for Fault {
    fn from(error: NotReady) -> Self {
        Self::lasting(error)
    }
}
