//! Appending to a tenant's event log.

pub(crate) mod accounts;
mod configuration;
pub(crate) mod organisation;
pub(crate) mod people;
pub(crate) mod webhooks;

use chrono::{DateTime, Utc};
use serde_json::{Map, json};
use tenantry_domain::account::Account;
use tenantry_domain::event::{EventType, NewEvent, chain_input};
use tenantry_domain::tenant::{Limit, QuotaKind, QuotaMark};
use tenantry_domain::timestamp;
use tenantry_ports::{LogEntry, LogHead, StoreResult, StoredConfig, TenantScope, TenantTx};

use crate::Platform;
use crate::accounts::Hand;
use crate::settings::Wanted;
use crate::transfer::{Kind, Verified};

pub(crate) use configuration::{ConfigChange, config_changed};

/// An event with the request (or other cause) that it came from.
#[derive(Clone)]
pub(crate) struct Traced {
    pub(crate) event: NewEvent,
    pub(crate) trace: String,
}

/// Appends events to the log whose head this transaction has locked, in order, each chained to the one before.
pub(crate) fn append(
    platform: &Platform,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    head: LogHead,
    events: Vec<Traced>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let mut head = head;
    let mut entries = Vec::with_capacity(events.len());
    for Traced { event, trace } in events {
        let event = event.seal(platform.ids.next(), scope.tenant(), now, trace);
        let hash = platform.digest.sha256(&chain_input(&head.hash, &event));
        let sequence = head.sequence + 1;
        entries.push(LogEntry { sequence, event, previous: head.hash, hash });
        head = LogHead { sequence, hash };
    }
    tx.log().append(&entries)
}

/// `tenant.imported`.
pub(crate) fn tenant_imported(archive: &Verified) -> Traced {
    let (head, trailer) = (&archive.head, &archive.trailer);
    let data = json!({
        "archive": trailer.sha256,
        "exportedAt": timestamp::to_text(head.exported_at),
        "from": { "tenantId": head.tenant.id, "slug": head.tenant.slug },
        "records": Kind::RECORDS.map(|kind| (kind.to_string(), trailer.count(kind).into()))
            .into_iter().collect::<Map<_, _>>(),
    });
    Traced { event: NewEvent::new(EventType::TENANT_IMPORTED, data), trace: "import".to_owned() }
}

/// `settings.updated`.
pub(crate) fn settings_updated(before: &Wanted, after: &Wanted, actor: &str, trace: String) -> Traced {
    let data = json!({ "changedBy": actor, "before": before, "after": after });
    Traced { event: NewEvent::new(EventType::SETTINGS_UPDATED, data), trace }
}

/// `quota.warning` or `quota.reached`: what the mark says.
pub(crate) fn quota_passed(
    mark: QuotaMark,
    kind: QuotaKind,
    limit: Limit,
    used: u64,
    trace: String,
) -> Traced {
    let event_type = match mark {
        QuotaMark::Warning => EventType::QUOTA_WARNING,
        QuotaMark::Reached => EventType::QUOTA_REACHED,
    };
    let data = json!({ "quota": kind.member(), "limit": limit, "used": used });
    Traced { event: NewEvent::new(event_type, data), trace }
}

/// `account.provisioned`.
pub(crate) fn account_provisioned(account: &Account, hand: &Hand) -> Traced {
    let data = json!({
        "accountId": account.id,
        "userId": account.user_id,
        "configId": account.config_id,
        "configVersion": account.config_version,
        "status": account.state.status,
        "balance": account.state.balance,
        "by": hand.actor,
    });
    let event = NewEvent::new(EventType::ACCOUNT_PROVISIONED, data)
        .account(account.id)
        .config_version(account.config_version);
    Traced { event, trace: hand.trace.clone() }
}

/// `config.uploaded`.
pub(crate) fn config_uploaded(config: &StoredConfig, trace: String) -> Traced {
    let data = json!({
        "configId": config.id,
        "version": config.version,
        "hash": config.hash,
        "uploadedBy": config.created_by,
    });
    let event = NewEvent::new(EventType::CONFIG_UPLOADED, data).config_version(config.version);
    Traced { event, trace }
}
