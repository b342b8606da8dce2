//! Appending to event logs.

pub(crate) mod accounts;
mod configuration;
pub(crate) mod organisation;
pub(crate) mod people;
pub(crate) mod platform;
pub(crate) mod webhooks;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::account::Account;
use tenantry_domain::event::{Event, EventType, NewEvent, chain_input};
use tenantry_domain::tenant::{Limit, QuotaKind, QuotaMark};
use tenantry_ports::{LogEntry, LogHead, StoreResult, StoredConfig, TenantScope, TenantTx};

use crate::Platform;
use crate::accounts::Hand;
use crate::events::data;
use crate::settings::Wanted;
use crate::transfer::{Kind, Verified};

pub(crate) use configuration::{ConfigChange, config_changed};

/// An event with the request (or other cause) that it came from.
#[derive(Clone)]
pub(crate) struct Traced {
    pub(crate) event: NewEvent,
    pub(crate) trace: String,
}

/// An event of this type with this data.
pub(crate) fn event(event_type: EventType, data: &impl Serialize) -> NewEvent {
    // None of them has a map with keys that are no text, the one thing that cannot be written.
    NewEvent::new(event_type, serde_json::to_value(data).unwrap_or_default())
}

/// Appends events to the tenant's log whose head this transaction has locked, in order, each chained to the one before.
pub(crate) fn append(
    platform: &Platform,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    head: LogHead,
    events: Vec<Traced>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let seal = |Traced { event, trace }: Traced| event.seal(platform.ids.next(), scope.tenant(), now, trace);
    tx.log().append(&chained(platform, head, events.into_iter().map(seal)))
}

/// The entries that these events are behind this head, each chained to the one before.
pub(crate) fn chained(
    platform: &Platform,
    mut head: LogHead,
    events: impl IntoIterator<Item = Event>,
) -> Vec<LogEntry> {
    let entry = |mut event: Event| {
        let (previous, sequence) = (head.hash, head.sequence + 1);
        event.meta.sequence = Some(sequence);
        let hash = platform.digest.sha256(&chain_input(&previous, &event));
        head = LogHead { sequence, hash };
        LogEntry { sequence, event, previous, hash }
    };
    events.into_iter().map(entry).collect()
}

/// `tenant.imported`.
pub(crate) fn tenant_imported(archive: &Verified) -> Traced {
    let (head, trailer) = (&archive.head, &archive.trailer);
    let data = data::TenantImported {
        archive: &trailer.sha256,
        exported_at: head.exported_at,
        from: data::Origin { tenant_id: head.tenant.id, slug: &head.tenant.slug },
        records: Kind::RECORDS.map(|kind| (kind.to_string(), trailer.count(kind))).into_iter().collect(),
    };
    Traced { event: event(EventType::TENANT_IMPORTED, &data), trace: "import".to_owned() }
}

/// `settings.updated`.
pub(crate) fn settings_updated(before: &Wanted, after: &Wanted, actor: &str, trace: String) -> Traced {
    let data = data::SettingsUpdated { changed_by: actor, before, after };
    Traced { event: event(EventType::SETTINGS_UPDATED, &data), trace }
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
    let data = data::QuotaPassed { quota: kind.member(), limit, used };
    Traced { event: event(event_type, &data), trace }
}

/// `account.provisioned`.
pub(crate) fn account_provisioned(account: &Account, hand: &Hand) -> Traced {
    let data = data::AccountProvisioned {
        account_id: account.id,
        user_id: &account.user_id,
        config_id: &account.config_id,
        config_version: account.config_version,
        status: account.state.status,
        balance: account.state.balance,
        by: &hand.actor,
    };
    let event = event(EventType::ACCOUNT_PROVISIONED, &data)
        .account(account.id)
        .config_version(account.config_version);
    Traced { event, trace: hand.trace.clone() }
}

/// `config.uploaded`.
pub(crate) fn config_uploaded(config: &StoredConfig, trace: String) -> Traced {
    let data = data::ConfigUploaded {
        config_id: &config.id,
        version: config.version,
        hash: &config.hash,
        uploaded_by: &config.created_by,
    };
    let event = event(EventType::CONFIG_UPLOADED, &data).config_version(config.version);
    Traced { event, trace }
}
