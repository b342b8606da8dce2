use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::tenant::Tenant;
use tenantry_ports::{StoreError, StoreResult, TenantScope, UpkeepRound};

use super::{Removed, SLICE, events, records};
use crate::{Platform, transfer};

/// How many tenants' databases are looked after in one turn.
const TENANTS: usize = 20;
/// How many slices are removed in one turn, about. Who has more than that to let go of keeps the next turn busy, too.
const SLICES: usize = 200;
/// How long after a turn the next one is made.
pub const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// How long nobody else makes a turn that somebody is at. Should they, nothing is done twice.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How long after the beginning of a round the next one begins.
const PERIOD: TimeDelta = TimeDelta::days(1);
/// No database has this schema, so that none is left out.
const NO_SCHEMA: &str = "";

/// Makes the next turn of the round, if it is time for it and nobody else is at it: looks after the next tenants' databases, one
/// after the other, and says how much it let go of.
pub fn turn(platform: &Platform, worker: &str) -> StoreResult<Option<Removed>> {
    let now = platform.clock.now();
    let Some(round) = platform.control.write(|tx| tx.upkeep().claim(worker, now, LEASE))? else {
        return Ok(None);
    };
    let tenants = platform.control.read(|tx| tx.tenants().outdated(NO_SCHEMA, round.after, TENANTS))?;
    let (mut removed, mut slices, mut done) = (Removed::default(), SLICES, 0_usize);
    for (tenant, _) in &tenants {
        let visit = visit(platform, tenant, now, &mut slices);
        removed += visit.removed;
        if !visit.done {
            break;
        }
        done += 1;
    }
    let after = done.checked_sub(1).map(|last| tenants[last].0.id).or(round.after);
    let begun_at = if round.after.is_none() { now } else { round.begun_at };
    let (after, due) = match done {
        _ if done < tenants.len() => (after, now),
        TENANTS => (after, now + PAUSE),
        _ => (None, (begun_at + PERIOD).max(now + PAUSE)),
    };
    let next = UpkeepRound { begun_at, after, ..round };
    match platform.control.write(|tx| tx.upkeep().settle(&next, due)) {
        // It took longer than the lease, and somebody else goes on.
        Ok(()) | Err(StoreError::Stale) => Ok(Some(removed)),
        Err(error) => Err(error),
    }
}

struct Visit {
    removed: Removed,
    /// Whether nothing more is to be done there today.
    done: bool,
}

/// Looks after a tenant's database, as far as there are slices left. One that is out of order keeps nobody from the others.
fn visit(platform: &Platform, tenant: &Tenant, now: DateTime<Utc>, slices: &mut usize) -> Visit {
    let mut removed = Removed::default();
    let scope = match TenantScope::maintenance(tenant) {
        // One that is being imported is not touched before it is complete.
        Ok(scope) if !transfer::waits(tenant) => scope,
        _ => return Visit { removed, done: true },
    };
    let outcome = look_after(platform, &scope, now, slices, &mut removed);
    if removed != Removed::default() {
        let Removed { events, deliveries, answers, sessions, attempts } = removed;
        tracing::info!(
            tenant = %tenant.id,
            events,
            deliveries,
            answers,
            sessions,
            attempts,
            "Let go of what was past its time"
        );
    }
    let done = outcome.unwrap_or_else(|error| {
        tracing::error!(tenant = %tenant.id, "What is past its time cannot be let go of: {error}");
        true
    });
    Visit { removed, done }
}

/// Whether there were slices enough.
fn look_after(
    platform: &Platform,
    scope: &TenantScope,
    now: DateTime<Utc>,
    slices: &mut usize,
    removed: &mut Removed,
) -> StoreResult<bool> {
    let store = platform.databases.as_owner(scope)?;
    let parts: [(&mut usize, Part<'_>); 5] = [
        (&mut removed.events, &|| events::let_go(platform, scope, &store, now)),
        (&mut removed.deliveries, &|| records::deliveries(platform, &store, now)),
        (&mut removed.answers, &|| records::answers(platform, &store, now)),
        (&mut removed.sessions, &|| records::sessions(&store, now)),
        (&mut removed.attempts, &|| records::attempts(&store, now)),
    ];
    for (count, part) in parts {
        loop {
            let slice = part()?;
            *count += slice;
            if slice < SLICE {
                break;
            }
            *slices = slices.saturating_sub(1);
            if *slices == 0 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Removes a slice of something; less than a slice where there is no more of it.
type Part<'a> = &'a dyn Fn() -> StoreResult<usize>;
