use chrono::TimeDelta;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{DatabaseError, StoreResult, TenantScope};

use super::each::each;
use super::members::{Member, close};
use crate::Platform;
use crate::provisioning::update;

/// How databases are brought up to date.
#[derive(Debug, Clone)]
pub struct Order {
    /// The one that has to succeed before the others are begun. None: whichever comes first.
    pub canary: Option<Member>,
    /// How many at a time, each over one connection.
    pub parallel: usize,
}

/// What came of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is up to date, after so many migrations.
    Migrated(usize),
    /// Meanwhile it is no longer there, or somebody else has it who brings it up to date.
    Gone,
    /// It is not, for this reason, and may be tried again. For operators.
    Failed(String),
}

/// What came of one database, told at once.
#[derive(Debug)]
pub struct Done<'a> {
    /// Which one.
    pub member: &'a Member,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// How long it took.
    pub took: TimeDelta,
}

/// What came of them all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many are up to date now.
    pub migrated: usize,
    /// How many are no longer there, or somebody else's business by now.
    pub gone: usize,
    /// How many could not be migrated.
    pub failed: usize,
    /// How many were not begun, since the canary failed.
    pub held_back: usize,
}

/// Without a canary by name so many databases may fail, one after the other, until it is clear that it is not them but the
/// migration. A single broken tenant must not keep all the others from being migrated, whichever place it has.
const CANARIES: usize = 3;

/// Brings these databases up to date: first the canary, then so many at a time. One that fails does not stop the others.
/// `done` is told of each at once, from any thread.
pub fn migrate(
    platform: &Platform,
    members: Vec<Member>,
    order: &Order,
    done: impl Fn(Done<'_>) + Sync,
) -> Summary {
    let work = |member: &Member| {
        let begun = platform.clock.now();
        let outcome = bring_up_to_date(platform, member);
        done(Done { member, outcome: &outcome, took: platform.clock.now() - begun });
        outcome
    };
    let mut summary = Summary::default();
    let mut rest = match &order.canary {
        Some(canary) => {
            let mut rest = members;
            rest.retain(|member| member.scope.tenant() != canary.scope.tenant());
            rest.insert(0, canary.clone());
            rest
        }
        None => members,
    };
    let chances = if order.canary.is_some() { 1 } else { CANARIES };
    let mut failed_on = Vec::new();
    while summary.migrated == 0 && !rest.is_empty() {
        if summary.failed == chances {
            return Summary { held_back: rest.len(), ..summary };
        }
        let canary = rest.remove(next_canary(&rest, &failed_on));
        let outcome = work(&canary);
        summary.add(&outcome);
        if let Outcome::Failed(_) = outcome {
            failed_on.push(canary.scope.cluster().clone());
        }
    }
    for outcome in each(&rest, order.parallel, work) {
        summary.add(&outcome);
    }
    summary
}

/// The first on a server where none has failed yet, else the first: a server that is away says nothing of the migration.
fn next_canary(rest: &[Member], failed_on: &[ClusterName]) -> usize {
    rest.iter().position(|member| !failed_on.contains(member.scope.cluster())).unwrap_or(0)
}

impl Summary {
    const fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Migrated(_) => self.migrated += 1,
            Outcome::Gone => self.gone += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

fn bring_up_to_date(platform: &Platform, member: &Member) -> Outcome {
    let migrated = match &member.pooled {
        Some(pooled) => update(platform, pooled, member.schema.as_deref().unwrap_or_default()),
        None => migrate_tenant(platform, member),
    };
    match migrated {
        Ok(Some(migrations)) => Outcome::Migrated(migrations),
        Ok(None) => Outcome::Gone,
        Err(error) => {
            tracing::debug!("Database {} cannot be migrated: {error}", member.scope.database());
            Outcome::Failed(error.detail)
        }
    }
}

fn migrate_tenant(platform: &Platform, member: &Member) -> Result<Option<usize>, DatabaseError> {
    let (tenant, databases) = (member.scope.tenant(), &platform.databases);
    let migrated = databases.migrate(&member.scope);
    close(platform, member);
    match migrated {
        Ok(migrations) => {
            platform
                .control
                .write(|tx| tx.tenants().note_schema(tenant, databases.schema()))
                .map_err(|error| DatabaseError::new(tenantry_ports::DatabaseFault::Passing, error))?;
            Ok(Some(migrations))
        }
        Err(_) if is_gone(platform, member).unwrap_or(false) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the tenant went its way since it was looked up.
fn is_gone(platform: &Platform, member: &Member) -> StoreResult<bool> {
    let tenant = platform.control.read(|tx| tx.tenants().get(member.scope.tenant()))?;
    Ok(tenant.is_none_or(|tenant| TenantScope::maintenance(&tenant).is_err()))
}
