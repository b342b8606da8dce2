use tenantry_domain::id::TenantId;
use tenantry_ports::{DatabaseError, PoolState, StoreError, StoreResult, TenantScope};
use uuid::Uuid;

use super::{Remedy, count};
use crate::fleet::{self, Order};
use crate::provisioning::{Tended, tend_once, update};
use crate::{Platform, tenants};

/// Why a remedy did not help.
#[derive(Debug, thiserror::Error)]
pub enum CureError {
    /// It is no longer as it was when it was found; look again.
    #[error("it has changed since; look again")]
    Changed,
    /// It did not work out, or not for all, for this reason.
    #[error("{0}")]
    Failed(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The database server failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<StoreError> for CureError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Changed,
            other => Self::Store(other),
        }
    }
}

/// Puts something right, and says what was done. `parallel`: how many databases are migrated at a time.
pub fn cure(platform: &Platform, remedy: &Remedy, parallel: usize) -> Result<String, CureError> {
    match *remedy {
        Remedy::DropLeftover { tenant, version } => drop_leftover(platform, tenant, version),
        Remedy::Enqueue { tenant, number } => {
            let now = platform.clock.now();
            platform.control.write(|tx| tx.runs().enqueue(tenant, number, now))?;
            platform.nudge.runs_are_due();
            Ok("queued: a worker takes it up".to_owned())
        }
        Remedy::Expire => {
            let mut expired = 0;
            loop {
                match tenants::expire(platform)? {
                    0 => return Ok(format!("{} let go of", count(expired, "tenant"))),
                    more => expired += more,
                }
            }
        }
        Remedy::TendPool => tend(platform),
        Remedy::Remake(id) => remake(platform, id),
        Remedy::Migrate => migrate(platform, parallel),
    }
}

/// Whoever gives the tenant a database after all has changed the tenant first, and waits for the lock under which this
/// is found out.
fn drop_leftover(platform: &Platform, id: TenantId, version: i64) -> Result<String, CureError> {
    let tenant = platform.control.read(|tx| tx.tenants().get(id))?.ok_or(CureError::Changed)?;
    let scope = TenantScope::leftover(&tenant).map_err(|_| CureError::Changed)?;
    let unchanged = || -> StoreResult<()> {
        let tenant = platform.control.read(|tx| tx.tenants().get(id))?;
        tenant.filter(|tenant| tenant.version == version).map(drop).ok_or(StoreError::Stale)
    };
    unchanged()?;
    platform.databases.remove(&scope, &unchanged)?;
    tracing::info!("Database {} was left of tenant {id} and is dropped", scope.database());
    Ok("dropped".to_owned())
}

/// What was abandoned is always the first thing to do.
fn tend(platform: &Platform) -> Result<String, CureError> {
    let now = platform.clock.now();
    let abandoned =
        |(_, state): &(_, PoolState)| matches!(state, PoolState::InWork { until } if *until <= now);
    let mut tended = 0;
    while platform.control.read(|tx| tx.pool().all())?.iter().any(abandoned) {
        match tend_once(platform)? {
            Tended::Done => tended += 1,
            Tended::Idle => break,
            Tended::Postponed => {
                return Err(CureError::Failed("a pooled database has to wait; see the log".to_owned()));
            }
        }
    }
    Ok(format!("{} finished or removed", count(tended, "pooled database")))
}

fn remake(platform: &Platform, id: Uuid) -> Result<String, CureError> {
    let pool = platform.control.read(|tx| tx.pool().all())?;
    let ready = pool.into_iter().find_map(|(pooled, state)| match state {
        PoolState::Ready { schema } if pooled.id == id => Some((pooled, schema)),
        _ => None,
    });
    let (pooled, schema) = ready.ok_or(CureError::Changed)?;
    match update(platform, &pooled, &schema)? {
        Some(_) => Ok("made again".to_owned()),
        None => Err(CureError::Changed),
    }
}

fn migrate(platform: &Platform, parallel: usize) -> Result<String, CureError> {
    let order = Order { canary: None, parallel };
    let summary = fleet::migrate(platform, fleet::behind(platform)?, &order, |_| {});
    match summary.failed + summary.held_back {
        0 => Ok(format!("{} migrated", count(summary.migrated, "database"))),
        left => Err(CureError::Failed(format!(
            "{} could not be migrated; `tenantry migrate` says why",
            count(left, "database")
        ))),
    }
}
