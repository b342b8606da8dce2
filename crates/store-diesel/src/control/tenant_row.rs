use diesel::prelude::*;
use tenantry_domain::tenant::{Former, Home, Lifecycle, Plan, Status, StepError, Tenant};
use tenantry_ports::{StoreError, StoreResult};

use crate::convert::{from_json, micros, named, optional, parse, time, to_json};
use crate::schema::tenants;

/// A row of `tenants`, but for its schema, which is no fact of the tenant. A column whose fact the status does not have is
/// null.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tenants, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct TenantRow {
    pub(super) id: String,
    name: String,
    name_folded: String,
    slug: String,
    slug_held: bool,
    plan: String,
    contact_email: Option<String>,
    config: Option<String>,
    database_name: String,
    cluster: String,
    login: Option<String>,
    status: String,
    token: Option<String>,
    expires_at: Option<i64>,
    since: Option<i64>,
    error_code: Option<String>,
    error_message: Option<String>,
    needs_attention: Option<bool>,
    drop_at: Option<i64>,
    begun: Option<bool>,
    former: Option<String>,
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
    failure: Option<(StepError, bool)>,
    drop_at: Option<i64>,
    begun: Option<bool>,
    former: Option<Status>,
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
            | Lifecycle::Expired { at }
            | Lifecycle::Deleted { at } => Self { since: Some(micros(*at)), ..Self::default() },
            Lifecycle::Failed { at, reason, needs_attention } => Self {
                since: Some(micros(*at)),
                failure: Some((reason.clone(), *needs_attention)),
                ..Self::default()
            },
            Lifecycle::Deprovisioning { since, drop_at, begun, former } => Self {
                since: Some(micros(*since)),
                failure: match former {
                    Former::Active | Former::Suspended => None,
                    Former::Failed { reason, needs_attention } => Some((reason.clone(), *needs_attention)),
                },
                drop_at: Some(micros(*drop_at)),
                begun: Some(*begun),
                former: Some(former.status()),
                ..Self::default()
            },
        }
    }
}

impl TenantRow {
    pub(super) fn new(tenant: &Tenant) -> StoreResult<Self> {
        let facts = Facts::of(&tenant.lifecycle);
        let (error, needs_attention) = facts.failure.unzip();
        let (error_code, error_message) = error.map(|error| (error.code, error.message)).unzip();
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
            cluster: tenant.home.cluster.to_string(),
            login: tenant.home.login.as_ref().map(ToString::to_string),
            status: tenant.lifecycle.status().to_string(),
            token: facts.token,
            expires_at: facts.expires_at,
            since: facts.since,
            error_code,
            error_message,
            needs_attention,
            drop_at: facts.drop_at,
            begun: facts.begun,
            former: facts.former.map(|status| status.to_string()),
            version: tenant.version,
            created_at: micros(tenant.created_at),
            updated_at: micros(tenant.updated_at),
        })
    }

    pub(super) fn tenant(&self) -> StoreResult<Tenant> {
        let lifecycle = self.lifecycle()?;
        if lifecycle.holds_slug() != self.slug_held {
            return Err(StoreError::corrupt(
                "tenant",
                format!("a {} tenant whose slug is kept otherwise", self.status),
            ));
        }
        Ok(Tenant {
            id: parse("tenant", &self.id)?,
            name: parse("tenant", &self.name)?,
            slug: parse("tenant", &self.slug)?,
            plan: parse::<Plan>("tenant", &self.plan)?,
            contact_email: optional("tenant", self.contact_email.as_deref())?,
            config: self.config.as_deref().map(|config| from_json("tenant", config)).transpose()?,
            database: parse("tenant", &self.database_name)?,
            home: Home {
                cluster: parse("tenant", &self.cluster)?,
                login: optional("tenant", self.login.as_deref())?,
            },
            lifecycle,
            version: self.version,
            created_at: time("tenant", self.created_at)?,
            updated_at: time("tenant", self.updated_at)?,
        })
    }

    /// The state that exactly these facts are of.
    fn lifecycle(&self) -> StoreResult<Lifecycle> {
        let status = named("tenant", &self.status, Status::parse)?;
        let wrong =
            || StoreError::corrupt("tenant", format!("the facts of {} are not those of {status}", self.id));
        let at = |micros| time("tenant", micros);
        let failure = match (&self.error_code, &self.error_message, self.needs_attention) {
            (Some(code), Some(message), Some(attention)) => Some((StepError::new(code, message), attention)),
            (None, None, None) => None,
            _ => return Err(wrong()),
        };
        let leave = match (self.drop_at, self.begun, self.former.as_deref()) {
            (Some(drop_at), Some(begun), Some(former)) => {
                Some((drop_at, begun, named("tenant", former, Status::parse)?))
            }
            (None, None, None) => None,
            _ => return Err(wrong()),
        };
        Ok(match (status, self.token.as_deref(), self.expires_at, self.since, failure, leave) {
            (Status::PendingValidation, Some(token), Some(expires_at), None, None, None) => {
                Lifecycle::PendingValidation { token: parse("tenant", token)?, expires_at: at(expires_at)? }
            }
            (Status::Queued, None, None, Some(since), None, None) => Lifecycle::Queued { since: at(since)? },
            (Status::Provisioning, None, None, Some(since), None, None) => {
                Lifecycle::Provisioning { since: at(since)? }
            }
            (Status::Active, None, None, Some(since), None, None) => Lifecycle::Active { since: at(since)? },
            (Status::Suspended, None, None, Some(since), None, None) => {
                Lifecycle::Suspended { since: at(since)? }
            }
            (Status::Failed, None, None, Some(since), Some((reason, needs_attention)), None) => {
                Lifecycle::Failed { at: at(since)?, reason, needs_attention }
            }
            (Status::Expired, None, None, Some(since), None, None) => Lifecycle::Expired { at: at(since)? },
            (Status::Deprovisioning, None, None, Some(since), failure, Some((drop_at, begun, former))) => {
                let former = match (former, failure) {
                    (Status::Active, None) => Former::Active,
                    (Status::Suspended, None) => Former::Suspended,
                    (Status::Failed, Some((reason, needs_attention))) => {
                        Former::Failed { reason, needs_attention }
                    }
                    _ => return Err(wrong()),
                };
                Lifecycle::Deprovisioning { since: at(since)?, drop_at: at(drop_at)?, begun, former }
            }
            (Status::Deleted, None, None, Some(since), None, None) => Lifecycle::Deleted { at: at(since)? },
            _ => return Err(wrong()),
        })
    }
}

#[cfg(test)]
mod tests;
