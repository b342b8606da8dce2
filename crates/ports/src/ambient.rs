//! What a pure program has to be given: time, ids and randomness.

use chrono::{DateTime, Utc};
use tenantry_domain::id::{Id, IdKind, TenantId};
use uuid::Uuid;

use crate::{Claim, TakenDatabase};

/// The time. A use case reads it once and uses that moment throughout.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds: what both databases keep exactly.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes ids.
pub trait Ids: Send + Sync {
    /// A version 7 UUID: sorts after those made before.
    fn time_ordered(&self) -> Uuid;

    /// A version 4 UUID: cannot be guessed.
    fn random(&self) -> Uuid;
}

impl dyn Ids {
    /// A new time-ordered id of the kind asked for.
    pub fn next<K: IdKind>(&self) -> Id<K> {
        Id::new(self.time_ordered())
    }
}

/// Randomness fit for secrets.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);

    /// A number in `0.0..1.0`, for jitter.
    fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Wakes whoever works on provisioning runs, tells the outside, or waits for a tenant. Only saves time: a timer finds
/// what there is, too.
pub trait Nudge: Send + Sync {
    /// A run became claimable; said after the commit.
    fn runs_are_due(&self);

    /// There is something to tell outside; said after the commit, too.
    fn notices_are_due(&self) {}

    /// The tenant's state or the journal of its runs changed; said after the commit, too. For whoever waits for that.
    fn tenant_changed(&self, _tenant: TenantId) {}

    /// Something was written to the tenant's database, so that there may be new events; said after the commit, too.
    fn log_moved(&self, _tenant: TenantId) {}

    /// Something was written to the platform's own log; said after the commit, too.
    fn platform_log_moved(&self) {}

    /// The tenant has a webhook endpoint more, maybe its first; said after the commit, too.
    fn endpoint_added(&self, _tenant: TenantId) {}

    /// A worker of this process that has nothing to do, and is kept free: whoever queues a run can claim it for that worker
    /// in the same commit. None where there is none, or they are all busy.
    fn hire(&self) -> Option<Box<dyn Hired>> {
        None
    }
}

/// A worker that is kept free, until it is told what to do or this is dropped.
pub trait Hired {
    /// By which name to claim a run for it.
    fn name(&self) -> &str;

    /// Has it work on this run; said after the commit.
    fn begin(self: Box<Self>, assignment: Assignment);
}

/// A run that was claimed for a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The run, and the right to work on it.
    pub claim: Claim,
    /// The pooled database that the run has taken.
    pub taken: Option<TakenDatabase>,
}
