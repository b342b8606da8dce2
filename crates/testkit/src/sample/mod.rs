//! Things to test with: valid, distinct and full of what is easily lost (microseconds, odd text, exact decimals).
//!
//! Everything here is new with every call: ids are never given twice in one process.

mod account;
mod basis;
mod config;
mod organisation;
mod people;
mod tenant;
mod trade;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_domain::event::{EventType, NewEvent};
use tenantry_domain::id::{Id, IdKind, TenantId};
use tenantry_ports::{
    Digest, IdempotencyKey, Ids, LogEntry, LogHead, StoreResult, StoredResponse, TenantDatabases,
    TenantScope, TenantStore, TenantStores,
};
use uuid::Uuid;

pub use account::{account, account_of};
pub use basis::{basis, basis_config, config_version, label, process, process_config, verbatim};
pub use config::{config_document, stored_config};
pub use organisation::{assignment, org_unit};
pub use people::{email, pending_admin, session, user, username};
pub use tenant::{
    api_key, cluster, confirm_claims, database_of, journal, lifecycles, notice, pooled_database, run, scope,
    scope_of, signing_key, step_error, tenant,
};
pub use tenantry_domain::event::Event;
pub use trade::applied_trade;

use crate::{FakeDigest, SequentialIds};

/// Quotes, a comment, a backslash, wildcards, several scripts, an emoji and a combining accent: everything that a text
/// may contain and that something on the way to a database could take for something else. Valid as any kind of name.
pub const ODD_TEXT: &str = "O'Neill \"&\" <Söhne> \\n %_; -- 資金 ₿ 🦀 e\u{301} ✓";

static IDS: SequentialIds = SequentialIds::after(1_000_000);

/// A new id of the kind asked for, greater than those before.
pub fn id<K: IdKind>() -> Id<K> {
    Id::new(IDS.time_ordered())
}

/// A new id of nothing in particular, in no order.
pub fn uuid() -> Uuid {
    IDS.random()
}

/// The moment at which samples are made: 2026-03-01T12:00:00.123456Z.
pub const fn now() -> DateTime<Utc> {
    match DateTime::from_timestamp(1_772_366_400, 123_456_000) {
        Some(now) => now,
        None => DateTime::UNIX_EPOCH,
    }
}

/// So many seconds after [`now`].
pub fn at(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// A JSON object of every kind of value, nested.
pub fn json_object() -> serde_json::Map<String, Value> {
    let document = json!({
        "text": ODD_TEXT, "empty": "", "null": null, "yes": true, "no": false,
        "integer": i64::MAX, "negative": -1, "fraction": 0.05, "tiny": 1e-7,
        "list": [1, "two", [3], {}], "nested": { "Ключ \"1\"": { "b": 1, "a": 2 } }, "": "nameless",
    });
    document.as_object().cloned().unwrap_or_default()
}

/// An event of this tenant.
pub fn event(tenant: impl Into<Option<TenantId>>) -> Event {
    NewEvent::new(EventType::CONFIG_UPLOADED, json_object().into()).seal(id(), tenant, now(), "trace-1")
}

/// So many entries that continue a log at `head`, each chained to the one before.
pub fn log_entries(tenant: impl Into<Option<TenantId>>, head: LogHead, count: usize) -> Vec<LogEntry> {
    let (tenant, mut head) = (tenant.into(), head);
    (0..count)
        .map(|_| {
            let mut event = event(tenant);
            event.meta.sequence = Some(head.sequence + 1);
            let hash = FakeDigest.sha256(&tenantry_domain::event::chain_input(&head.hash, &event));
            let entry = LogEntry { sequence: head.sequence + 1, event, previous: head.hash, hash };
            head = LogHead { sequence: entry.sequence, hash };
            entry
        })
        .collect()
}

/// A first answer in this scope, given at [`now`].
pub fn response(scope: &str) -> StoredResponse {
    let key = IdempotencyKey { scope: scope.to_owned(), fingerprint: FakeDigest.sha256(scope.as_bytes()) };
    // Bodies are bytes, not text.
    StoredResponse { key, status: 201, body: vec![b'{', 0, 0xff, b'"', b'\'', b'}'], created_at: now() }
}

/// A [`Permit`](tenantry_ports::Permit) that never ends.
pub const fn permitted() -> StoreResult<()> {
    Ok(())
}

/// Creates and migrates the scope's database, and opens it.
///
/// # Panics
/// If that fails.
pub fn opened(
    databases: &dyn TenantDatabases,
    stores: &dyn TenantStores,
    scope: &TenantScope,
) -> Arc<dyn TenantStore> {
    databases.create(scope, &permitted).expect("the database is created");
    databases.migrate(scope).expect("the database is migrated");
    stores.open(scope).expect("the database is opened")
}
