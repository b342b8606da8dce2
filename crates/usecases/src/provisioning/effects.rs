//! What each step does, and how it is undone.

use tenantry_domain::people::{Role, User};
use tenantry_domain::tenant::{StepError, StepKind, Tenant};
use tenantry_ports::{DatabaseError, DatabaseFault, NotReady, PendingAdmin, StoreError, TenantScope};

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

/// Does a step, again if need be. Returns the sentence for the journal.
pub(super) fn perform(
    platform: &Platform,
    kind: StepKind,
    tenant: &Tenant,
    admin: Option<&PendingAdmin>,
) -> Result<String, Fault> {
    let scope = TenantScope::provisioning(tenant)?;
    let (id, database) = (tenant.id, &tenant.database);
    match kind {
        StepKind::Init => Ok("Provisioning initialized".to_owned()),
        StepKind::CreateDatabase => {
            tracing::info!("Creating database {database} for tenant {id}");
            platform.databases.create(&scope)?;
            tracing::info!("Database {database} created for tenant {id}");
            Ok(format!("Database {database} created successfully"))
        }
        StepKind::ApplyMigrations => {
            tracing::info!("Applying migrations to database {database} for tenant {id}");
            platform.databases.migrate(&scope)?;
            tracing::info!("Migrations applied to {database} for tenant {id}");
            Ok("Migrations applied successfully".to_owned())
        }
        StepKind::SeedData => {
            tracing::info!("Seeding data for tenant {id} in database {database}");
            seed(platform, &scope)?;
            tracing::info!("Data seeded for tenant {id}");
            Ok("Demo data seeded successfully".to_owned())
        }
        StepKind::CreateAdmin => {
            let admin = admin.ok_or_else(|| Fault::lasting("the run has lost its pending admin"))?;
            create_admin(platform, &scope, admin)?;
            Ok("Admin created successfully".to_owned())
        }
    }
}

/// Makes sure nothing is left of a step. All that later steps make lives in the database, and goes with it.
pub(super) fn undo(platform: &Platform, kind: StepKind, tenant: &Tenant) -> Result<(), Fault> {
    match kind {
        StepKind::CreateDatabase => Ok(platform.databases.remove(&TenantScope::provisioning(tenant)?)?),
        StepKind::Init | StepKind::ApplyMigrations | StepKind::SeedData | StepKind::CreateAdmin => Ok(()),
    }
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
        let created = journal::user_created(&user, "provisioning".to_owned());
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
