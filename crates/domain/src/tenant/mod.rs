//! Tenants: who they are, their lifecycle, and the steps that provision one.
//!
//! ```text
//! PENDING_VALIDATION --confirm--> QUEUED --worker claims--> Provisioning --all steps succeed--> Active
//!         |                                                     |
//!         | token expires (15 min)                              | a step fails for good, undone
//!         v                                                     v
//!      Expired                                               Failed
//! Active <--> Suspended            Active/Suspended/Failed <--restore / deprovision--> Deprovisioning --> Deleted
//! ```
//!
//! A tenant that is imported becomes `Suspended` instead of `Active` at first, and is resumed once it holds what it had.

mod home;
mod lifecycle;
mod names;
mod plan;
mod quota_mark;
mod quotas;
mod run;
mod settings;
mod steps;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

pub use home::{ClusterName, Home};
pub use lifecycle::{CONFIRMATION_WINDOW, Former, InvalidTransition, Lifecycle, Status, Transition};
pub use names::{DatabaseName, DatabasePrefix, Slug, TenantName};
pub use plan::{InvalidPlan, Plan};
pub use quota_mark::QuotaMark;
pub use quotas::{Allowance, Limit, PlanLimits, Plans, QuotaExceeded, QuotaKind, Quotas};
pub use run::{AfterFailure, Direction, NextStep, RetryPolicy, Run, RunKind};
pub use settings::Settings;
pub use steps::{StepError, StepKind, StepRecord, StepStatus};

use crate::id::TenantId;
use crate::people::Email;

/// A customer company.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Its id; the UUID alone is the provisioning id.
    pub id: TenantId,
    /// Its name for people.
    pub name: TenantName,
    /// Its name in URLs and database names.
    pub slug: Slug,
    /// What it pays for.
    pub plan: Plan,
    /// Whom to tell when it is ready.
    pub contact_email: Option<Email>,
    /// The free `config` it was created with.
    pub config: Option<Map<String, Value>>,
    /// The name of its database, whether or not that exists (yet, or any more).
    pub database: DatabaseName,
    /// Where that is.
    pub home: Home,
    /// Where it stands.
    pub lifecycle: Lifecycle,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was announced.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Tenant {
    /// Moves the tenant to `lifecycle`; the version it had is what a store compares with.
    pub fn enter(&mut self, lifecycle: Lifecycle, now: DateTime<Utc>) {
        self.lifecycle = lifecycle;
        self.version += 1;
        self.updated_at = now;
    }
}
