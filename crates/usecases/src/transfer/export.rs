use std::io::{self, Write};

use tenantry_domain::config::ConfigVersion;
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::{
    AccountFilter, ConfigHead, DatabaseError, LogFloor, LogHead, NotReady, StoreError, TenantScope, TenantTx,
};

use super::archive::{
    FORMAT, FORMAT_VERSION, FORMAT_VERSION_OF_WHOLE_LOGS, Head, Kind, LogPlace, Trailer, Writer,
};
use super::configuration;
use super::record::{AccountRecord, ConfigRecord, EventRecord, MappingRecord, TradeRecord, UserRecord};
use super::verify::check_link;
use super::webhooks;
use crate::Platform;

/// How many records are in memory at a time.
pub(super) const PAGE: usize = 500;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The archive's last line.
    pub trailer: Trailer,
    /// The first entry of the event log that does not follow from the one before it: somebody has changed the log, and no
    /// import takes the archive. None, as it should be.
    pub broken_at: Option<i64>,
}

/// Why there is no (whole) archive.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The tenant has no database, or not for long.
    #[error("the tenant is {0}")]
    NotReady(Status),
    /// The database has an older schema.
    #[error("the tenant's database lacks {0} migrations")]
    Outdated(usize),
    /// The database could not be looked into.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The archive could not be written.
    #[error("the archive cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotReady> for ExportError {
    fn from(NotReady(status): NotReady) -> Self {
        Self::NotReady(status)
    }
}

/// Writes everything that is the tenant's as an archive, in one consistent state; `version` is the program's.
///
/// The tenant's event log is locked meanwhile, which keeps its writers waiting: a slow `out` is a slow tenant.
pub fn export(
    platform: &Platform,
    tenant: &Tenant,
    version: &str,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let scope = TenantScope::maintenance(tenant)?;
    match platform.databases.pending(&scope)? {
        0 => {}
        lacking => return Err(ExportError::Outdated(lacking)),
    }
    let mut head = Head {
        kind: Kind::Head,
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION_OF_WHOLE_LOGS,
        tenant: tenant.into(),
        schema: platform.databases.schema().to_owned(),
        exported_at: platform.clock.now(),
        tenantry_version: version.to_owned(),
        log_begins_after: None,
    };
    platform.stores.open(&scope)?.write(|tx| {
        // Every writer locks the log first: from here on nothing changes.
        tx.log().lock()?;
        if let Some(LogFloor { head: LogHead { sequence, hash }, .. }) = tx.floor().get()? {
            head.format_version = FORMAT_VERSION;
            head.log_begins_after = Some(LogPlace { sequence, hash });
        }
        let mut archive = Writer::new(out, platform.digest.as_ref(), &head)?;
        archive.record(Kind::Settings, &tx.settings().get()?.unwrap_or_default())?;
        users(tx, &mut archive)?;
        configuration::export(tx, &mut archive)?;
        configs(tx, &mut archive)?;
        accounts(tx, &mut archive)?;
        for unit in tx.organisation().all()? {
            archive.record(Kind::Organisation, &unit)?;
        }
        mappings(tx, &mut archive)?;
        trades(tx, &mut archive)?;
        webhooks::export(tx, &mut archive)?;
        let broken_at = events(platform, tx, &mut archive, head.log_begin())?;
        Ok(Exported { trailer: archive.finish()?, broken_at })
    })
}

fn users(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let page = tx.users().page(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.user.id);
        for credentials in page {
            archive.record(Kind::User, &UserRecord::from(credentials))?;
        }
    }
}

fn configs(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let heads = tx.configs().page(after.as_ref(), PAGE)?;
        let Some(last) = heads.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for head in &heads {
            versions(tx, archive, head)?;
        }
    }
}

/// Versions count from 1 without gaps.
fn versions(tx: &mut dyn TenantTx, archive: &mut Writer<'_>, head: &ConfigHead) -> Result<(), ExportError> {
    let mut version = ConfigVersion::FIRST;
    while version <= head.version {
        let missing =
            || StoreError::corrupt("account config", format!("{} lacks version {version}", head.id));
        let config = tx.configs().get(&head.id, Some(version))?.ok_or_else(missing)?;
        archive.record(Kind::Config, &ConfigRecord::from(config))?;
        version = version.next();
    }
    Ok(())
}

fn accounts(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let (all, mut after) = (AccountFilter::default(), None);
    loop {
        let page = tx.accounts().page(&all, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for account in page {
            archive.record(Kind::Account, &AccountRecord::from(account))?;
        }
    }
}

fn mappings(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let page = tx.mappings().page(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.account, last.id));
        for mapping in page {
            archive.record(Kind::Mapping, &MappingRecord::from(mapping))?;
        }
    }
}

fn trades(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let page = tx.trades().page(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.account, last.place));
        for trade in page {
            archive.record(Kind::Trade, &TradeRecord::from(trade))?;
        }
    }
}

/// Answers with the first entry that does not follow from the one before it, if any.
fn events(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    archive: &mut Writer<'_>,
    begin: LogHead,
) -> Result<Option<i64>, ExportError> {
    let (mut head, mut broken_at) = (begin, None);
    loop {
        let page = tx.log().page(head.sequence, PAGE)?;
        if page.is_empty() {
            return Ok(broken_at);
        }
        for entry in page {
            if check_link(platform.digest.as_ref(), head, &entry).is_err() {
                broken_at = broken_at.or(Some(entry.sequence));
            }
            head = LogHead { sequence: entry.sequence, hash: entry.hash };
            archive.record(Kind::Event, &EventRecord::from(entry))?;
        }
    }
}
