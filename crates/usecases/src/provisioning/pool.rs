//! The warm pool: databases that are made, migrated and seeded ahead of need.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use tenantry_domain::tenant::{ClusterName, DatabaseName};
use tenantry_ports::{
    ControlTx, DatabaseError, DatabaseFault, PoolLease, PoolState, PooledDatabase, StoreError, StoreResult,
    TenantScope,
};
use uuid::Uuid;

use super::heartbeat::holding;
use super::seed::seed;
use crate::Platform;

/// What came of looking after the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tended {
    /// It is as it should be, or somebody else is at it.
    Idle,
    /// One database was made, brought up to date or removed.
    Done,
    /// That did not work out; it is tried again later.
    Postponed,
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
enum Chore {
    /// Carry on with, or clear away, what somebody left.
    Abandoned,
    /// One more is needed there.
    Add(ClusterName),
    /// Bring this one up to date.
    Update(Uuid),
    /// One less is needed.
    Remove(Uuid),
}

/// Does the most urgent thing there is to do for the pool, if any. Blocks; takes as long as making a database takes.
pub fn tend_once(platform: &Platform) -> StoreResult<Tended> {
    let now = platform.clock.now();
    let stock = platform.control.read(|tx| tx.pool().all())?;
    let Some(chore) = next_chore(platform, &stock, now) else {
        return Ok(Tended::Idle);
    };
    let Some((pooled, lease)) = platform.control.write(|tx| claim(platform, tx, &chore, &stock, now))? else {
        return Ok(Tended::Idle);
    };
    let wanted = match chore {
        Chore::Add(_) | Chore::Update(_) => true,
        Chore::Remove(_) => false,
        Chore::Abandoned => surplus(platform, &stock, &pooled.cluster) != Ordering::Greater,
    };
    let what = format!("pooled database {}", pooled.database);
    let renew = |until| platform.control.write(|tx| tx.pool().renew(lease, until));
    let outcome = holding(platform, &what, renew, || match wanted {
        true => make(platform, &pooled, lease).map(drop),
        false => unmake(platform, &pooled, lease),
    });
    match outcome {
        Ok(()) => Ok(Tended::Done),
        Err(error) => {
            tracing::warn!("The {what} has to wait: {}", error.detail);
            let later = platform.clock.now() + platform.policy.lease;
            platform.control.write(|tx| tx.pool().renew(lease, later)).or_else(unless_taken_over)?;
            Ok(Tended::Postponed)
        }
    }
}

fn next_chore(
    platform: &Platform,
    stock: &[(PooledDatabase, PoolState)],
    now: DateTime<Utc>,
) -> Option<Chore> {
    let abandoned = |state: &PoolState| matches!(state, PoolState::InWork { until } if *until <= now);
    if stock.iter().any(|(_, state)| abandoned(state)) {
        return Some(Chore::Abandoned);
    }
    let short = |cluster: &&ClusterName| surplus(platform, stock, cluster) == Ordering::Less;
    if let Some(cluster) = platform.policy.placement.clusters().iter().find(short) {
        return Some(Chore::Add(cluster.clone()));
    }
    let ready = stock.iter().filter_map(|(pooled, state)| match state {
        PoolState::Ready { schema } => Some((pooled, schema)),
        _ => None,
    });
    // The newest goes, so that the oldest is the next to be taken.
    let too_many =
        ready.clone().rfind(|(pooled, _)| surplus(platform, stock, &pooled.cluster) == Ordering::Greater);
    if let Some((pooled, _)) = too_many {
        return Some(Chore::Remove(pooled.id));
    }
    let outdated = ready.clone().find(|(_, schema)| *schema != platform.databases.schema());
    outdated.map(|(pooled, _)| Chore::Update(pooled.id))
}

/// How what a server has compares with what it should have.
fn surplus(platform: &Platform, stock: &[(PooledDatabase, PoolState)], cluster: &ClusterName) -> Ordering {
    let wanted = match platform.policy.placement.clusters().contains(cluster) {
        true => platform.policy.pool_size,
        false => 0,
    };
    let taken = |state: &PoolState| matches!(state, PoolState::Taken { .. });
    let there = stock.iter().filter(|(pooled, state)| pooled.cluster == *cluster && !taken(state));
    there.count().cmp(&wanted)
}

fn claim(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    chore: &Chore,
    stock: &[(PooledDatabase, PoolState)],
    now: DateTime<Utc>,
) -> StoreResult<Option<(PooledDatabase, PoolLease)>> {
    let until = now + platform.policy.lease;
    match chore {
        Chore::Abandoned => tx.pool().claim_abandoned(now, until),
        Chore::Add(cluster) => {
            let id = platform.ids.random();
            let database = DatabaseName::pooled(&platform.policy.database_prefix, id);
            let pooled = PooledDatabase { id, cluster: cluster.clone(), database, created_at: now };
            let lease = tx.pool().insert(&pooled, until)?;
            Ok(Some((pooled, lease)))
        }
        Chore::Update(id) | Chore::Remove(id) => {
            let lease = tx.pool().claim_ready(*id, until)?;
            let pooled = stock.iter().map(|(pooled, _)| pooled).find(|pooled| pooled.id == *id);
            Ok(pooled.cloned().zip(lease))
        }
    }
}

/// Makes the database, or carries on making it, or brings it up to date: it is all the same. How many migrations that took.
fn make(platform: &Platform, pooled: &PooledDatabase, lease: PoolLease) -> Result<usize, DatabaseError> {
    let scope = TenantScope::pooled(pooled);
    let databases = &platform.databases;
    databases.create(&scope, &|| permit(platform, lease))?;
    let migrations = databases.migrate(&scope)?;
    seed(platform, &scope).map_err(failed)?;
    databases.close(&scope)?;
    platform
        .control
        .write(|tx| tx.pool().ready(lease, databases.schema()))
        .or_else(unless_taken_over)
        .map_err(failed)?;
    Ok(migrations)
}

/// Brings a database with this schema up to date if it is (still) ready, and makes it again if it is gone; `None` if a
/// tenant or somebody else has it by now. One that cannot be brought up to date goes back as it was.
pub(crate) fn update(
    platform: &Platform,
    pooled: &PooledDatabase,
    schema: &str,
) -> Result<Option<usize>, DatabaseError> {
    let until = platform.clock.now() + platform.policy.lease;
    let claimed = platform.control.write(|tx| tx.pool().claim_ready(pooled.id, until)).map_err(failed)?;
    let Some(lease) = claimed else { return Ok(None) };
    let renew = |until| platform.control.write(|tx| tx.pool().renew(lease, until));
    let what = format!("pooled database {}", pooled.database);
    let made = holding(platform, &what, renew, || make(platform, pooled, lease));
    if made.is_err() {
        platform
            .control
            .write(|tx| tx.pool().ready(lease, schema))
            .or_else(unless_taken_over)
            .map_err(failed)?;
    }
    made.map(Some)
}

fn unmake(platform: &Platform, pooled: &PooledDatabase, lease: PoolLease) -> Result<(), DatabaseError> {
    platform.databases.remove(&TenantScope::pooled(pooled), &|| permit(platform, lease))?;
    platform.control.write(|tx| tx.pool().delete(lease)).or_else(unless_taken_over).map_err(failed)
}

fn permit(platform: &Platform, lease: PoolLease) -> StoreResult<()> {
    let until = platform.clock.now() + platform.policy.lease;
    platform.control.write(|tx| tx.pool().renew(lease, until))
}

/// Whoever has taken over does the rest.
fn unless_taken_over(error: StoreError) -> StoreResult<()> {
    match error {
        StoreError::Stale => Ok(()),
        other => Err(other),
    }
}

fn failed(error: StoreError) -> DatabaseError {
    DatabaseError::new(DatabaseFault::Passing, error)
}
