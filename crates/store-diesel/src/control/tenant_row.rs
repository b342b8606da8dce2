use diesel::prelude::*;
use tenantry_domain::tenant::{Lifecycle, Plan, Status, StepError, Tenant};
use tenantry_ports::{StoreError, StoreResult};

use crate::convert::{from_json, micros, named, optional, parse, time, to_json};
use crate::schema::tenants;

/// A row of `tenants`. A column whose fact the status does not have is null.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tenants, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct TenantRow {
    id: String,
    name: String,
    name_folded: String,
    slug: String,
    slug_held: bool,
    plan: String,
    contact_email: Option<String>,
    config: Option<String>,
    database_name: String,
    status: String,
    token: Option<String>,
    expires_at: Option<i64>,
    since: Option<i64>,
    error_code: Option<String>,
    error_message: Option<String>,
    needs_attention: Option<bool>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

/// The columns that hold a lifecycle's facts.
#[derive(Debug, Default)]
struct Facts {
    token: Option<String>,
    expires_at: Option<i64>,
    since: Option<i64>,
    error: Option<StepError>,
    needs_attention: Option<bool>,
}

impl Facts {
    fn of(lifecycle: &Lifecycle) -> Self {
        match lifecycle {
            Lifecycle::PendingValidation { token, expires_at } => Self {
                token: Some(token.to_string()),
                expires_at: Some(micros(*expires_at)),
                ..Self::default()
            },
            Lifecycle::Queued { since: at }
            | Lifecycle::Provisioning { since: at }
            | Lifecycle::Active { since: at }
            | Lifecycle::Suspended { since: at }
            | Lifecycle::Deprovisioning { since: at }
            | Lifecycle::Expired { at }
            | Lifecycle::Deleted { at } => Self { since: Some(micros(*at)), ..Self::default() },
            Lifecycle::Failed { at, reason, needs_attention } => Self {
                since: Some(micros(*at)),
                error: Some(reason.clone()),
                needs_attention: Some(*needs_attention),
                ..Self::default()
            },
        }
    }
}

impl TenantRow {
    pub(super) fn new(tenant: &Tenant) -> StoreResult<Self> {
        let facts = Facts::of(&tenant.lifecycle);
        let (error_code, error_message) = facts.error.map(|error| (error.code, error.message)).unzip();
        Ok(Self {
            id: tenant.id.to_string(),
            name: tenant.name.to_string(),
            name_folded: tenant.name.as_str().to_lowercase(),
            slug: tenant.slug.to_string(),
            slug_held: tenant.lifecycle.holds_slug(),
            plan: tenant.plan.to_string(),
            contact_email: tenant.contact_email.as_ref().map(ToString::to_string),
            config: tenant.config.as_ref().map(to_json).transpose()?,
            database_name: tenant.database.to_string(),
            status: tenant.lifecycle.status().to_string(),
            token: facts.token,
            expires_at: facts.expires_at,
            since: facts.since,
            error_code,
            error_message,
            needs_attention: facts.needs_attention,
            version: tenant.version,
            created_at: micros(tenant.created_at),
            updated_at: micros(tenant.updated_at),
        })
    }

    pub(super) fn tenant(self) -> StoreResult<Tenant> {
        let lifecycle = self.lifecycle()?;
        if lifecycle.holds_slug() != self.slug_held {
            return Err(StoreError::corrupt("tenant", format!("a {} tenant whose slug is kept otherwise", self.status)));
        }
        Ok(Tenant {
            id: parse("tenant", &self.id)?,
            name: parse("tenant", &self.name)?,
            slug: parse("tenant", &self.slug)?,
            plan: parse::<Plan>("tenant", &self.plan)?,
            contact_email: optional("tenant", self.contact_email.as_deref())?,
            config: self.config.as_deref().map(|config| from_json("tenant", config)).transpose()?,
            database: parse("tenant", &self.database_name)?,
            lifecycle,
            version: self.version,
            created_at: time("tenant", self.created_at)?,
            updated_at: time("tenant", self.updated_at)?,
        })
    }

    /// The state that exactly these facts are of.
    fn lifecycle(&self) -> StoreResult<Lifecycle> {
        let status = named("tenant", &self.status, Status::parse)?;
        let at = |micros| time("tenant", micros);
        let error = match (&self.error_code, &self.error_message) {
            (Some(code), Some(message)) => Some(Some(StepError::new(code, message))),
            (None, None) => Some(None),
            _ => None,
        };
        let facts = (status, self.token.as_deref(), self.expires_at, self.since, error, self.needs_attention);
        Ok(match facts {
            (Status::PendingValidation, Some(token), Some(expires_at), None, Some(None), None) => {
                Lifecycle::PendingValidation { token: parse("tenant", token)?, expires_at: at(expires_at)? }
            }
            (Status::Queued, None, None, Some(since), Some(None), None) => Lifecycle::Queued { since: at(since)? },
            (Status::Provisioning, None, None, Some(since), Some(None), None) => {
                Lifecycle::Provisioning { since: at(since)? }
            }
            (Status::Active, None, None, Some(since), Some(None), None) => Lifecycle::Active { since: at(since)? },
            (Status::Suspended, None, None, Some(since), Some(None), None) => {
                Lifecycle::Suspended { since: at(since)? }
            }
            (Status::Failed, None, None, Some(since), Some(Some(reason)), Some(needs_attention)) => {
                Lifecycle::Failed { at: at(since)?, reason, needs_attention }
            }
            (Status::Expired, None, None, Some(since), Some(None), None) => Lifecycle::Expired { at: at(since)? },
            (Status::Deprovisioning, None, None, Some(since), Some(None), None) => {
                Lifecycle::Deprovisioning { since: at(since)? }
            }
            (Status::Deleted, None, None, Some(since), Some(None), None) => Lifecycle::Deleted { at: at(since)? },
            (status, ..) => {
                return Err(StoreError::corrupt("tenant", format!("the facts of {} are not those of {status}", self.id)));
            }
        })
    }
}
