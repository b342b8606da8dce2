//! What every change leaves: a version to read and to restore, and an event in the tenant's log.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::basis::{Kept, Subject};
use tenantry_domain::event::EventType;
use tenantry_domain::{Verbatim, timestamp};
use tenantry_ports::{ConfigurationVersion, LogHead, StoreError, StoreResult, TenantScope, TenantTx};

use super::Author;
use crate::Platform;
use crate::journal::{self, ConfigChange, Traced};

/// The changes of one transaction; written at its end, at once.
pub(super) struct Changes {
    head: LogHead,
    author: Author,
    now: DateTime<Utc>,
    versions: Vec<ConfigurationVersion>,
    events: Vec<Traced>,
}

/// What something says, as it is kept.
fn document(content: &impl Serialize) -> StoreResult<Verbatim> {
    let text = serde_json::to_string(content).and_then(|text| Verbatim::from_text(&text));
    text.map_err(|error| StoreError::Failed(Box::new(error)))
}

impl Changes {
    /// Locks the log: from here on everything that is read stays true.
    pub(super) fn begin(tx: &mut dyn TenantTx, author: Author, now: DateTime<Utc>) -> StoreResult<Self> {
        Ok(Self { head: tx.log().lock()?, author, now, versions: Vec::new(), events: Vec::new() })
    }

    pub(super) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Something says something else now.
    pub(super) fn changed<I: Copy + Into<Subject>, T: Serialize>(
        &mut self,
        event: EventType,
        kept: &Kept<I, T>,
        before: Option<&T>,
        restored: Option<i64>,
    ) -> StoreResult<()> {
        let (before, after) = (before.map(document).transpose()?, Some(document(&kept.content)?));
        self.note(event, (kept.id.into(), kept.version), before, after, restored);
        Ok(())
    }

    /// Something was removed.
    pub(super) fn removed<I: Copy + Into<Subject>, T: Serialize>(
        &mut self,
        event: EventType,
        kept: &Kept<I, T>,
    ) -> StoreResult<()> {
        let before = Some(document(&kept.content)?);
        self.note(event, (kept.id.into(), kept.version + 1), before, None, None);
        Ok(())
    }

    fn note(
        &mut self,
        event: EventType,
        (subject, version): (Subject, i64),
        before: Option<Verbatim>,
        after: Option<Verbatim>,
        restored: Option<i64>,
    ) {
        let Author { actor, trace } = self.author.clone();
        let change = ConfigChange { subject, version, before, after: after.clone(), restored };
        self.events.push(journal::config_changed(event, &change, &actor, trace));
        self.versions.push(ConfigurationVersion {
            subject,
            version,
            document: after,
            changed_by: actor,
            changed_at: timestamp::whole_millis(self.now),
        });
    }

    /// Writes them; where there are none, nothing.
    pub(super) fn write(
        self,
        platform: &Platform,
        scope: &TenantScope,
        tx: &mut dyn TenantTx,
    ) -> StoreResult<()> {
        if self.versions.is_empty() {
            return Ok(());
        }
        tx.basis().add_versions(&self.versions)?;
        journal::append(platform, scope, tx, self.head, self.events, self.now)
    }
}
