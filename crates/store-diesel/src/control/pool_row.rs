use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_ports::{PoolState, PooledDatabase, StoreError, StoreResult, TakenDatabase};

use crate::convert::{micros, parse, time};
use crate::schema::pooled_databases as pooled;

/// A row of `pooled_databases`. A column whose fact the state does not have is null.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = pooled, treat_none_as_default_value = false)]
pub(super) struct PoolRow {
    pub(super) id: String,
    cluster: String,
    database_name: String,
    state: String,
    schema_version: Option<String>,
    tenant_id: Option<String>,
    leased_until: Option<i64>,
    pub(super) fence: i64,
    created_at: i64,
}

/// The states' names.
pub(super) const IN_WORK: &str = "InWork";
pub(super) const READY: &str = "Ready";
pub(super) const TAKEN: &str = "Taken";

/// Of a row that could not be read when somebody wanted to work with it. No state: nothing can be done with it.
pub(super) const ASIDE: &str = "SetAside";

/// The fencing token of the one who orders a database.
pub(super) const FIRST: i64 = 1;

impl PoolRow {
    pub(super) fn new(database: &PooledDatabase, until: DateTime<Utc>) -> Self {
        Self {
            id: database.id.to_string(),
            cluster: database.cluster.to_string(),
            database_name: database.database.to_string(),
            state: IN_WORK.to_owned(),
            schema_version: None,
            tenant_id: None,
            leased_until: Some(micros(until)),
            fence: FIRST,
            created_at: micros(database.created_at),
        }
    }

    pub(super) fn read(&self) -> StoreResult<(PooledDatabase, PoolState)> {
        Ok((self.database()?, self.state()?))
    }

    fn database(&self) -> StoreResult<PooledDatabase> {
        Ok(PooledDatabase {
            id: parse("pooled database", &self.id)?,
            cluster: parse("pooled database", &self.cluster)?,
            database: parse("pooled database", &self.database_name)?,
            created_at: time("pooled database", self.created_at)?,
        })
    }

    /// The state that exactly these facts are of.
    fn state(&self) -> StoreResult<PoolState> {
        let facts = (self.schema_version.clone(), self.tenant_id.as_deref(), self.leased_until);
        match (self.state.as_str(), facts) {
            (IN_WORK, (None, None, Some(until))) => {
                Ok(PoolState::InWork { until: time("pooled database", until)? })
            }
            (READY, (Some(schema), None, None)) => Ok(PoolState::Ready { schema }),
            (TAKEN, (Some(schema), Some(tenant), None)) => {
                Ok(PoolState::Taken { tenant: parse("pooled database", tenant)?, schema })
            }
            (state, _) => Err(StoreError::corrupt(
                "pooled database",
                format!("the facts of {} are not those of {state:?}", self.id),
            )),
        }
    }

    pub(super) fn taken(&self) -> StoreResult<TakenDatabase> {
        match self.state()? {
            PoolState::Taken { schema, .. } => Ok(TakenDatabase { database: self.database()?, schema }),
            other => Err(StoreError::corrupt("pooled database", format!("{} is {other:?}", self.id))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::id::TenantId;
    use tenantry_domain::tenant::ClusterName;
    use uuid::Uuid;

    use super::*;

    fn rows() -> Vec<PoolRow> {
        let database = PooledDatabase {
            id: Uuid::from_u128(7),
            cluster: ClusterName::default(),
            database: "t_~pool_7".parse().unwrap(),
            created_at: DateTime::UNIX_EPOCH,
        };
        let in_work = PoolRow::new(&database, DateTime::UNIX_EPOCH);
        let ready = PoolRow {
            state: READY.to_owned(),
            schema_version: Some("1".to_owned()),
            leased_until: None,
            ..in_work.clone()
        };
        let tenant = TenantId::new(Uuid::from_u128(8)).to_string();
        let taken = PoolRow { state: TAKEN.to_owned(), tenant_id: Some(tenant), ..ready.clone() };
        vec![in_work, ready, taken]
    }

    #[test]
    fn a_state_is_read_back_from_exactly_its_own_facts() {
        for row in rows() {
            assert!(row.state().is_ok(), "{row:?}");
            let other =
                |fact: &Option<String>| fact.is_none().then(|| TenantId::new(Uuid::nil()).to_string());
            let until = row.leased_until.is_none().then_some(1);
            for wrong in [
                PoolRow { schema_version: other(&row.schema_version), ..row.clone() },
                PoolRow { tenant_id: other(&row.tenant_id), ..row.clone() },
                PoolRow { leased_until: until, ..row.clone() },
                PoolRow { state: "Unheard-of".to_owned(), ..row.clone() },
            ] {
                let read = wrong.state();
                assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{wrong:?}: {read:?}");
            }
        }
    }

    #[test]
    fn the_facts_of_one_state_are_not_those_of_another() {
        for (i, row) in rows().iter().enumerate() {
            for (j, other) in rows().iter().enumerate() {
                let mixed = PoolRow { state: other.state.clone(), ..row.clone() };
                assert_eq!(mixed.state().is_ok(), i == j, "{mixed:?}");
            }
        }
    }

    #[test]
    fn only_what_is_taken_is_given_to_a_tenant() {
        let taken: Vec<_> = rows().iter().map(|row| row.taken().is_ok()).collect();
        assert_eq!(taken, [false, false, true]);
    }
}
