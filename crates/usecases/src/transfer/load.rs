use std::io::BufRead;

use chrono::{DateTime, Utc};
use tenantry_domain::account::{Account, AccountMapping, AppliedTrade};
use tenantry_domain::event::EventType;
use tenantry_domain::organisation::OrgUnit;
use tenantry_ports::{
    ConfigurationVersion, LogEntry, LogHead, StoreError, StoreResult, TenantScope, TenantTx,
};

use super::archive::{Kind, Tally};
use super::configuration::Configurations;
use super::import::ImportError;
use super::lines::Lines;
use super::record::{Entry, kind_of, read};
use super::verify::Verified;
use super::webhooks::WebhookRecord;
use crate::Platform;
use crate::accounts::config_of;
use crate::audit::floor_after;
use crate::days::plan;
use crate::journal::{self, Traced};

/// How many records are in memory at a time.
const SLICE: usize = 500;

/// Puts the archive in the place of what the tenant's database was seeded with: one transaction, at whose end the archive
/// has to have been what was verified. Where that was done before, nothing is done.
pub(super) fn load(
    platform: &Platform,
    scope: &TenantScope,
    archive: &Verified,
    input: impl BufRead,
) -> Result<(), ImportError> {
    let now = platform.clock.now();
    let imported = journal::tenant_imported(archive);
    let begin = archive.head.log_begin();
    if begin != LogHead::EMPTY {
        begin_after(platform, scope, begin)?;
    }
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        if head != begin {
            return if was_loaded(tx, head, archive)? { Ok(()) } else { Err(ImportError::InUse) };
        }
        tx.configs().clear()?;
        let mut loader = Loader::new(platform, scope, tx, head, now);
        let mut tally = Tally::new(platform.digest.as_ref());
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next()? {
            let content = line.strip_suffix(b"\n").ok_or(ImportError::Changed)?;
            let kind = kind_of(content).ok_or(ImportError::Changed)?;
            if kind == Kind::Trailer {
                break;
            }
            tally.add(Some(kind), line);
            loader.take(read(kind, content).map_err(|_| ImportError::Changed)?)?;
        }
        let (found, told) = (tally.trailer(), &archive.trailer);
        if (found.lines, &found.sha256) != (told.lines, &told.sha256) {
            return Err(ImportError::Changed);
        }
        loader.finish(imported)?;
        Ok(())
    })
}

/// Has the log of a database that nobody has used begin where the archive's does. That is for its owner to do, so it is a commit of
/// its own; where the log has come further, what there is is looked at next.
fn begin_after(platform: &Platform, scope: &TenantScope, begin: LogHead) -> StoreResult<()> {
    platform.databases.as_owner(scope)?.write(|tx| match tx.log().lock()? {
        LogHead::EMPTY => tx.floor().begin(&floor_after(platform, scope.tenant(), begin)),
        _ => Ok(()),
    })
}

/// Whether the last thing that happened is that this archive was loaded.
fn was_loaded(tx: &mut dyn TenantTx, head: LogHead, archive: &Verified) -> StoreResult<bool> {
    let last = tx.log().page(head.sequence - 1, 1)?;
    Ok(last.first().is_some_and(|entry| {
        entry.event.event_type == EventType::TENANT_IMPORTED
            && entry.event.data["archive"] == archive.trailer.sha256.as_str()
    }))
}

struct Loader<'a> {
    platform: &'a Platform,
    scope: &'a TenantScope,
    tx: &'a mut dyn TenantTx,
    head: LogHead,
    now: DateTime<Utc>,
    configurations: Configurations,
    versions: Vec<ConfigurationVersion>,
    accounts: Vec<Account>,
    units: Vec<OrgUnit>,
    mappings: Vec<AccountMapping>,
    trades: Vec<AppliedTrade>,
    events: Vec<LogEntry>,
    webhooks: Vec<WebhookRecord>,
}

impl<'a> Loader<'a> {
    fn new(
        platform: &'a Platform,
        scope: &'a TenantScope,
        tx: &'a mut dyn TenantTx,
        head: LogHead,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            platform,
            scope,
            tx,
            head,
            now,
            configurations: Configurations::default(),
            versions: Vec::new(),
            accounts: Vec::new(),
            units: Vec::new(),
            mappings: Vec::new(),
            trades: Vec::new(),
            events: Vec::new(),
            webhooks: Vec::new(),
        }
    }

    fn take(&mut self, entry: Entry) -> StoreResult<()> {
        match entry {
            Entry::Head(_) | Entry::Trailer(_) => {}
            Entry::Settings(settings) => self.tx.settings().put(&settings)?,
            Entry::User(credentials) => {
                self.tx.users().insert(&credentials.user, &credentials.password_hash)?;
            }
            Entry::Configuration(version) => {
                if let Some(current) = self.configurations.next((*version).clone())? {
                    current.put(self.tx)?;
                }
                self.versions.push(*version);
            }
            Entry::Config(config) => self.tx.configs().insert(&config)?,
            Entry::Account(account) => {
                let mut account = account.of(self.scope.tenant());
                let config = config_of(self.platform, self.tx, &account)?;
                let rules = self.platform.configs.rules(&account.config_hash, &config);
                account.rolls_at = plan(&rules, &account.state, self.platform.policy.day_grace, self.now);
                self.accounts.push(account);
            }
            Entry::Organisation(unit) => self.units.push(*unit),
            Entry::Mapping(mapping) => self.mappings.push(mapping),
            Entry::Trade(trade) => self.trades.push(*trade),
            Entry::Webhook(webhook) => self.webhooks.push(*webhook),
            Entry::Event(entry) => self.events.push(*entry),
        }
        let Self { versions, accounts, units, mappings, trades, events, .. } = self;
        let waiting =
            [versions.len(), accounts.len(), units.len(), mappings.len(), trades.len(), events.len()];
        if waiting.into_iter().any(|waiting| waiting >= SLICE) { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> StoreResult<()> {
        self.tx.basis().add_versions(&self.versions)?;
        self.tx.accounts().insert(&self.accounts)?;
        self.tx.organisation().insert(&self.units)?;
        let held = self.accounts.iter().flat_map(|account| {
            account.state.open_positions.iter().map(|position| (position.symbol.clone(), account.id))
        });
        self.tx.holdings().add(&held.collect::<Vec<_>>())?;
        self.tx.mappings().insert(&self.mappings)?;
        self.tx.trades().insert(&self.trades)?;
        self.tx.log().append(&self.events)?;
        if let Some(last) = self.events.last() {
            self.head = LogHead { sequence: last.sequence, hash: last.hash };
        }
        self.versions.clear();
        self.accounts.clear();
        self.units.clear();
        self.mappings.clear();
        self.trades.clear();
        self.events.clear();
        Ok(())
    }

    /// What the log says of before stays as it was; that it came from elsewhere is its next entry.
    fn finish(mut self, imported: Traced) -> Result<(), StoreError> {
        if let Some(current) = self.configurations.end()? {
            current.put(self.tx)?;
        }
        self.flush()?;
        let Self { platform, scope, now, .. } = self;
        for webhook in std::mem::take(&mut self.webhooks) {
            self.tx.webhooks().insert(&webhook.endpoint(platform, now), self.head.sequence)?;
        }
        journal::append(platform, scope, self.tx, self.head, vec![imported], now)
    }
}
