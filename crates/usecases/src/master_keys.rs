//! A change of the master key, while everything runs: what hangs on a former one is made to hang on the one in force.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Status, Tenant};
use tenantry_ports::{
    Carryover, DatabaseError, PoolState, PooledDatabase, Presence, SigningKey, StoreError, StoreResult,
    TenantFilter, TenantScope, Unopenable,
};

use crate::journal::platform::secret_key_replaced;
use crate::machine_tokens::LONGEST_TOKEN;
use crate::{Platform, audit, recorded, signing_keys, webhooks};

/// What the master keys are called that an installation knows. The names say nothing about the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MasterKeyNames {
    /// The one that everything is made with.
    pub current: String,
    /// Those that what was made before may hang on, in any order.
    pub others: Vec<String>,
}

impl MasterKeyNames {
    /// From which keys to which.
    fn plan(&self) -> String {
        let mut others: Vec<&str> = self.others.iter().map(String::as_str).collect();
        others.sort_unstable();
        format!("{} <- {}", self.current, others.join(" "))
    }
}

/// Why not everything was carried over. What was done stays done; the next call goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// A signing key cannot be opened.
    #[error("signing key {kid}: {error}")]
    Unopenable {
        /// Which.
        kid: String,
        /// Why.
        error: Unopenable,
    },
    /// The login of a tenant's database could not be given its new password.
    #[error("the login of database {database}: {error}")]
    Login {
        /// Whose.
        database: String,
        /// Why.
        error: DatabaseError,
    },
    /// So many databases are being made that were begun before: with which key, nobody knows.
    #[error("{0} databases are being made that were begun before this; go on when they are done")]
    Busy(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one step of carrying over came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This signing key's private part is sealed under the master key in force now.
    Sealed(i64),
    /// So many logins have the password that is derived from it.
    Logins(usize),
}

/// How many tenants are done between two notes of how far it has come.
const PAGE: usize = 50;
/// No database has this schema, so that none is left out.
const NO_SCHEMA: &str = "";

/// Carries everything over that hangs on a former master key; goes on where an earlier call was stopped. `done` is told of
/// each step. Does nothing if everything is done already. Answers when it was.
pub fn carry_over(platform: &Platform, mut done: impl FnMut(Step)) -> Result<DateTime<Utc>, CarryError> {
    let plan = platform.policy.master_keys.plan();
    reseal(platform, &mut done)?;
    let found = platform.control.read(|tx| tx.carryover().get())?.filter(|found| found.plan == plan);
    if let Some(at) = found.as_ref().and_then(|found| found.completed_at) {
        return Ok(at);
    }
    let begun_at = platform.clock.now();
    let mut carryover = found.unwrap_or(Carryover { plan, begun_at, after: None, completed_at: None });
    note(platform, &carryover)?;
    let busy = stragglers(platform, carryover.begun_at)?;
    if busy > 0 {
        return Err(CarryError::Busy(busy));
    }
    while let Some(last) = renew_tenants(platform, carryover.after, &mut done)? {
        carryover.after = Some(last);
        note(platform, &carryover)?;
    }
    renew_pooled(platform, &mut done)?;
    renew_newcomers(platform, carryover.begun_at, &mut done)?;
    let now = platform.clock.now();
    carryover.completed_at = Some(now);
    recorded::<_, StoreError>(platform, None, |tx, record| {
        if !platform.policy.master_keys.others.is_empty() {
            record.add(secret_key_replaced(platform, carryover.begun_at, now));
        }
        tx.carryover().put(&carryover)
    })?;
    Ok(now)
}

fn note(platform: &Platform, carryover: &Carryover) -> StoreResult<()> {
    platform.control.write(|tx| tx.carryover().put(carryover))
}

fn reseal(platform: &Platform, done: &mut impl FnMut(Step)) -> Result<(), CarryError> {
    for key in signing_keys::list(platform)? {
        let rewrapped = platform.machine_tokens.rewrap(&key);
        let rewrapped = rewrapped.map_err(|error| CarryError::Unopenable { kid: key.kid.clone(), error })?;
        let Some(sealed) = rewrapped else { continue };
        let number = key.number;
        let resealed = SigningKey { sealed_private: Some(sealed), version: key.version + 1, ..key };
        match platform.control.write(|tx| tx.signing_keys().update(&resealed)) {
            // A rotation or another carry-over came in between: the next call sees what is left.
            Err(StoreError::Stale) => {}
            outcome => outcome?,
        }
        done(Step::Sealed(number));
    }
    Ok(())
}

/// The next tenants; the last of them, or none if there are no more.
fn renew_tenants(
    platform: &Platform,
    after: Option<TenantId>,
    done: &mut impl FnMut(Step),
) -> Result<Option<TenantId>, CarryError> {
    let page = platform.control.read(|tx| tx.tenants().outdated(NO_SCHEMA, after, PAGE))?;
    let scopes = page.iter().filter_map(|(tenant, _)| TenantScope::maintenance(tenant).ok());
    let mut renewed = 0;
    for scope in scopes {
        renew(platform, &scope)?;
        renewed += 1;
    }
    if renewed > 0 {
        done(Step::Logins(renewed));
    }
    Ok(page.last().map(|(tenant, _)| tenant.id))
}

/// Tenants that came into service meanwhile may have a database that had been made ahead of need, before.
fn renew_newcomers(
    platform: &Platform,
    begun_at: DateTime<Utc>,
    done: &mut impl FnMut(Step),
) -> Result<(), CarryError> {
    let pool = platform.control.read(|tx| tx.pool().all())?;
    let taken = |(pooled, state): &&(PooledDatabase, PoolState)| {
        pooled.created_at < begun_at && matches!(state, PoolState::Taken { .. })
    };
    match pool.iter().filter(taken).count() {
        0 => {}
        // Nobody can say by which name their logins go just now.
        busy => return Err(CarryError::Busy(busy)),
    }
    let (mut renewed, mut after) = (0, None);
    loop {
        let page = platform.control.read(|tx| tx.tenants().outdated(NO_SCHEMA, after, PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.id);
        for (tenant, _) in page.iter().filter(|(tenant, _)| since(tenant) >= Some(begun_at)) {
            if let Ok(scope) = TenantScope::maintenance(tenant) {
                renew(platform, &scope)?;
                renewed += 1;
            }
        }
    }
    if renewed > 0 {
        done(Step::Logins(renewed));
    }
    Ok(())
}

/// Since when a tenant that has a database is in the state it is in.
fn since(tenant: &Tenant) -> Option<DateTime<Utc>> {
    match tenant.lifecycle {
        Lifecycle::Active { since }
        | Lifecycle::Suspended { since }
        | Lifecycle::Deprovisioning { since, .. } => Some(since),
        _ => None,
    }
}

/// How many databases are in the making since before `begun_at`. What is begun later is made with the key in force.
fn stragglers(platform: &Platform, begun_at: DateTime<Utc>) -> StoreResult<usize> {
    let filter = TenantFilter { status: Some(Status::Provisioning), ..TenantFilter::default() };
    let pool = platform.control.read(|tx| tx.pool().all())?;
    let in_work = |(pooled, state): &&(PooledDatabase, PoolState)| {
        pooled.created_at < begun_at && matches!(state, PoolState::InWork { .. })
    };
    let (mut count, mut after) = (pool.iter().filter(in_work).count(), None);
    loop {
        let page = platform.control.read(|tx| tx.tenants().page(&filter, after, PAGE))?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some((last.created_at, last.id));
        let before = |tenant: &&Tenant| matches!(tenant.lifecycle, Lifecycle::Provisioning { since } if since < begun_at);
        count += page.iter().filter(before).count();
    }
}

fn renew_pooled(platform: &Platform, done: &mut impl FnMut(Step)) -> Result<(), CarryError> {
    let pool = platform.control.read(|tx| tx.pool().all())?;
    let ready = pool.iter().filter(|(_, state)| matches!(state, PoolState::Ready { .. }));
    let mut renewed = 0;
    for (pooled, _) in ready {
        renew(platform, &TenantScope::pooled(pooled))?;
        renewed += 1;
    }
    if renewed > 0 {
        done(Step::Logins(renewed));
    }
    Ok(())
}

/// What went its way since it was looked up needs nothing any more, or is looked at under its new name by the next call.
fn renew(platform: &Platform, scope: &TenantScope) -> Result<(), CarryError> {
    let renewed = platform.databases.renew_login(scope).and_then(|()| platform.databases.pending(scope));
    let error = match renewed {
        Ok(0) => {
            audit::resign_floor(platform, scope)?;
            return Ok(webhooks::reseal(platform, scope)?);
        }
        Ok(_) => {
            let behind =
                format!("{} has to be migrated before its secrets can be sealed anew", scope.database());
            return Err(StoreError::Unavailable(behind).into());
        }
        Err(error) => error,
    };
    match platform.databases.presence(scope) {
        Ok(Presence::Own) | Err(_) => {
            Err(CarryError::Login { database: scope.database().to_string(), error })
        }
        Ok(_) => Ok(()),
    }
}

/// Whether master keys besides the one in force are still needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There are none.
    Alone,
    /// Something may hang on them.
    Unfinished,
    /// What was signed with them is accepted until then; after that they may be removed.
    NeededUntil(DateTime<Utc>),
}

/// How a change of the master key stands. `longest` is how long the longest-lived token works that is signed with a key
/// derived from it.
pub fn standing(platform: &Platform, longest: TimeDelta) -> StoreResult<Standing> {
    let names = &platform.policy.master_keys;
    if names.others.is_empty() {
        return Ok(Standing::Alone);
    }
    let plan = names.plan();
    let found = platform.control.read(|tx| tx.carryover().get())?.filter(|found| found.plan == plan);
    let Some(at) = found.and_then(|found| found.completed_at) else { return Ok(Standing::Unfinished) };
    for key in signing_keys::list(platform)? {
        if !matches!(platform.machine_tokens.rewrap(&key), Ok(None)) {
            return Ok(Standing::Unfinished);
        }
    }
    Ok(Standing::NeededUntil(at + longest.max(LONGEST_TOKEN)))
}
