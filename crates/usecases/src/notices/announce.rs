use chrono::{DateTime, Utc};
use tenantry_domain::event::{Event, EventType};
use tenantry_domain::tenant::{Lifecycle, Run, Status, StepKind, Tenant};
use tenantry_ports::{Channel, ControlTx, Notice, StoreError, StoreResult};

use super::letter::Letter;
use crate::events::data::{FailureTold, StepDone, TenantStanding};
use crate::journal::event;
use crate::{Platform, Record};

/// What happened to a tenant.
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    /// Somebody wishes for it; it waits to be confirmed.
    Announced,
    /// It was never confirmed.
    Expired,
    /// It was confirmed (or an operator had it tried again), and waits for a worker.
    Queued,
    /// A worker began to provision it.
    Started,
    /// A step of its provisioning succeeded.
    StepCompleted {
        /// The run, with the success in its journal.
        run: &'a Run,
        /// The step.
        step: StepKind,
    },
    /// Its provisioning failed for good; it is `Failed` by now.
    Failed,
    /// Its provisioning succeeded.
    Activated,
    /// Its calls are refused from now on.
    Suspended,
    /// Its calls are answered again.
    Resumed,
    /// What people know of it changed: these members.
    Updated(&'a [&'static str]),
    /// Its database is going to be dropped, once its time of grace is over.
    DeletionQueued,
    /// That was taken back, and it stays out of service as it was before.
    DeletionCancelled,
    /// Its database is gone.
    Deleted,
}

impl Happening<'_> {
    /// What a tenant's way from one state to another means to the outside, if anything.
    pub const fn between(before: Status, after: Status) -> Option<Self> {
        match (before, after) {
            (Status::PendingValidation, Status::Expired) => Some(Self::Expired),
            (Status::PendingValidation | Status::Failed, Status::Queued) => Some(Self::Queued),
            (Status::Queued, Status::Provisioning) => Some(Self::Started),
            (Status::Provisioning, Status::Active) => Some(Self::Activated),
            (Status::Provisioning, Status::Failed) => Some(Self::Failed),
            (Status::Active, Status::Suspended) => Some(Self::Suspended),
            (Status::Suspended | Status::Deprovisioning, Status::Active) => Some(Self::Resumed),
            (Status::Active | Status::Suspended | Status::Failed, Status::Deprovisioning) => {
                Some(Self::DeletionQueued)
            }
            (Status::Deprovisioning, Status::Suspended | Status::Failed) => Some(Self::DeletionCancelled),
            (Status::Deprovisioning, Status::Deleted) => Some(Self::Deleted),
            _ => None,
        }
    }

    const fn event_type(self) -> EventType {
        match self {
            Self::Announced => EventType::TENANT_ANNOUNCED,
            Self::Expired => EventType::TENANT_EXPIRED,
            Self::Queued => EventType::TENANT_PROVISIONING_QUEUED,
            Self::Started => EventType::TENANT_PROVISIONING_STARTED,
            Self::StepCompleted { .. } => EventType::TENANT_PROVISIONING_STEP_COMPLETED,
            Self::Failed => EventType::TENANT_PROVISIONING_FAILED,
            Self::Activated => EventType::TENANT_ACTIVATED,
            Self::Suspended => EventType::TENANT_SUSPENDED,
            Self::Resumed => EventType::TENANT_RESUMED,
            Self::Updated(_) => EventType::TENANT_UPDATED,
            Self::DeletionQueued => EventType::TENANT_DEPROVISIONING_QUEUED,
            Self::DeletionCancelled => EventType::TENANT_DEPROVISIONING_CANCELLED,
            Self::Deleted => EventType::TENANT_DELETED,
        }
    }

    /// What is to be known about it, the tenant's state after it included.
    fn data<'t>(&'t self, tenant: &'t Tenant, by: Option<&'t str>) -> TenantStanding<'t> {
        let step = match self {
            Self::StepCompleted { run, step } => {
                let record = run.journal.iter().rev().find(|record| record.kind == *step);
                Some(StepDone {
                    run: run.number,
                    step: *step,
                    attempt: record.map(|record| record.attempt),
                    started_at: record.and_then(|record| record.started_at),
                    completed_at: record.and_then(|record| record.completed_at),
                })
            }
            _ => None,
        };
        let failure = match (self, &tenant.lifecycle) {
            (Self::Failed, Lifecycle::Failed { reason, needs_attention, .. }) => {
                Some((FailureTold { code: reason.code.as_ref(), message: &reason.message }, *needs_attention))
            }
            _ => None,
        };
        let (error, needs_attention) = failure.unzip();
        let changed = match self {
            Self::Updated(changed) => Some(*changed),
            _ => None,
        };
        let drop_at = match (self, &tenant.lifecycle) {
            (Self::DeletionQueued, Lifecycle::Deprovisioning { drop_at, .. }) => Some(*drop_at),
            _ => None,
        };
        TenantStanding {
            slug: &tenant.slug,
            name: &tenant.name,
            plan: tenant.plan.as_str(),
            status: tenant.lifecycle.status(),
            version: tenant.version,
            step,
            error,
            needs_attention,
            changed,
            drop_at,
            by,
        }
    }
}

/// Writes down what happened, in the transaction that makes it so: for the platform's log, and as what has to be told outside:
/// every happening over the webhook, `Activated` and `Failed` to the tenant's contact address too. For channels that are
/// off nothing is written. It is one event with one id, wherever it is met.
///
/// `tenant` is as it is stored by this transaction. After the commit, [`Nudge::notices_are_due`] saves some time.
///
/// [`Nudge::notices_are_due`]: tenantry_ports::Nudge::notices_are_due
pub fn announce(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    tenant: &Tenant,
    happenings: &[Happening<'_>],
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let mut notices = Vec::new();
    for what in happenings {
        let event = event(what.event_type(), &what.data(tenant, record.by()));
        // The tenant's id is what its lines in the log have in common.
        let event = event.seal(platform.ids.next(), tenant.id, now, tenant.id.to_string());
        notices.extend(notices_of(platform, tenant, *what, &event, now)?);
        record.add(event);
    }
    tx.notices().insert(&notices)
}

fn notices_of(
    platform: &Platform,
    tenant: &Tenant,
    what: Happening<'_>,
    event: &Event,
    now: DateTime<Utc>,
) -> StoreResult<Vec<Notice>> {
    let channels = &platform.channels;
    let mut payloads = Vec::new();
    if channels.has(Channel::Webhook) {
        payloads.push((Channel::Webhook, serde_json::to_string(event)));
    }
    if let Some(letter) = Letter::about(tenant, what).filter(|_| channels.has(Channel::Mail)) {
        payloads.push((Channel::Mail, serde_json::to_string(&letter)));
    }
    let notice = |(channel, payload): (Channel, serde_json::Result<String>)| {
        let payload = payload.map_err(|error| StoreError::Failed(Box::new(error)))?;
        let event_type = event.event_type.clone();
        Ok(Notice { id: event.id, channel, tenant: tenant.id, event: event_type, payload, created_at: now })
    };
    payloads.into_iter().map(notice).collect()
}
