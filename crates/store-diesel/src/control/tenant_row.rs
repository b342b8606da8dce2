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
            (Status::Queued, None, None, Some(since), Some(None), None) => {
                Lifecycle::Queued { since: at(since)? }
            }
            (Status::Provisioning, None, None, Some(since), Some(None), None) => {
                Lifecycle::Provisioning { since: at(since)? }
            }
            (Status::Active, None, None, Some(since), Some(None), None) => {
                Lifecycle::Active { since: at(since)? }
            }
            (Status::Suspended, None, None, Some(since), Some(None), None) => {
                Lifecycle::Suspended { since: at(since)? }
            }
            (Status::Failed, None, None, Some(since), Some(Some(reason)), Some(needs_attention)) => {
                Lifecycle::Failed { at: at(since)?, reason, needs_attention }
            }
            (Status::Expired, None, None, Some(since), Some(None), None) => {
                Lifecycle::Expired { at: at(since)? }
            }
            (Status::Deprovisioning, None, None, Some(since), Some(None), None) => {
                Lifecycle::Deprovisioning { since: at(since)? }
            }
            (Status::Deleted, None, None, Some(since), Some(None), None) => {
                Lifecycle::Deleted { at: at(since)? }
            }
            (status, ..) => {
                return Err(StoreError::corrupt(
                    "tenant",
                    format!("the facts of {} are not those of {status}", self.id),
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;

    fn rows() -> Vec<TenantRow> {
        let of = |lifecycle| TenantRow::new(&Tenant { lifecycle, ..sample::tenant("acme") }).unwrap();
        sample::lifecycles().into_iter().map(of).collect()
    }

    /// The row with one of its facts there or not there, unlike before.
    fn changed(row: &TenantRow) -> Vec<TenantRow> {
        fn other<T>(fact: &Option<T>, some: T) -> Option<T> {
            if fact.is_some() { None } else { Some(some) }
        }
        let row = || row.clone();
        vec![
            TenantRow {
                token: other(&row().token, "7b7e4b1e-8a53-4f3b-9f3e-0d7d6a5f6c11".to_owned()),
                ..row()
            },
            TenantRow { expires_at: other(&row().expires_at, 1), ..row() },
            TenantRow { since: other(&row().since, 1), ..row() },
            TenantRow { error_code: other(&row().error_code, "code".to_owned()), ..row() },
            TenantRow { error_message: other(&row().error_message, "message".to_owned()), ..row() },
            TenantRow { needs_attention: other(&row().needs_attention, true), ..row() },
            TenantRow { slug_held: !row().slug_held, ..row() },
            TenantRow { status: "Unheard-of".to_owned(), ..row() },
            TenantRow { since: Some(i64::MAX), expires_at: row().expires_at.map(|_| i64::MAX), ..row() },
            TenantRow { slug: "Not A Slug".to_owned(), ..row() },
            TenantRow { id: "ten_".to_owned(), ..row() },
            TenantRow { config: Some("{".to_owned()), ..row() },
        ]
    }

    #[test]
    fn a_lifecycle_is_read_back_from_exactly_its_own_facts() {
        for row in rows() {
            assert_eq!(TenantRow::new(&row.clone().tenant().unwrap()).unwrap(), row);
            for (i, wrong) in changed(&row).into_iter().enumerate() {
                assert_ne!(wrong, row);
                let read = wrong.tenant();
                assert!(
                    matches!(read, Err(StoreError::Corrupt { what: "tenant", .. })),
                    "{} {i}: {read:?}",
                    row.status
                );
            }
        }
    }

    #[test]
    fn the_facts_of_one_status_are_not_those_of_another() {
        for row in rows() {
            for other in rows() {
                let mixed =
                    TenantRow { status: other.status.clone(), slug_held: other.slug_held, ..row.clone() };
                let same_facts = Facts::of(&row.lifecycle().unwrap()).names()
                    == Facts::of(&other.lifecycle().unwrap()).names();
                let agrees = mixed.needs_attention.is_none_or(|attention| attention == mixed.slug_held);
                assert_eq!(
                    mixed.tenant().is_ok(),
                    same_facts && agrees,
                    "{} as {}",
                    row.status,
                    other.status
                );
            }
        }
    }

    impl Facts {
        /// Which facts there are.
        fn names(&self) -> [bool; 5] {
            [
                self.token.is_some(),
                self.expires_at.is_some(),
                self.since.is_some(),
                self.error.is_some(),
                self.needs_attention.is_some(),
            ]
        }
    }
}
