use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::io::{self, BufRead};

use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{AccountMapping, AppliedTrade, TradePlace};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion};
use tenantry_domain::event::chain_input;
use tenantry_domain::id::{AccountId, MappingId, UserId, WebhookId};
use tenantry_domain::json;
use tenantry_domain::organisation::{OrgId, OrgPlace, OrgUnit};
use tenantry_ports::{Credentials, Digest, LogEntry, LogHead, StoredConfig, hexadecimal};

use super::archive::{FORMAT, FORMAT_VERSION, Head, Kind, Tally, Trailer};
use super::configuration::Inspector;
use super::lines::Lines;
use super::record::{AccountRecord, Entry, kind_of, read};
use crate::Platform;

/// After this many flaws no more are looked for.
const ENOUGH: usize = 100;

/// What an archive holds that was read from end to end and found whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// What it is, and whose.
    pub head: Head,
    /// What is in it. Its SHA-256 stands for the archive.
    pub trailer: Trailer,
}

/// Something that is wrong with an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where, from 1.
    pub line: u64,
    /// What.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Why an archive is not taken.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("the archive cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is not what was exported, or no archive at all.
    #[error("the archive is not whole")]
    Flawed(Vec<Flaw>),
}

/// Reads an archive from end to end: its form, its order, its counts and hashes, the chain of its events, and every
/// document. Flaws are found together, not the first one alone.
///
/// The hashes say that nothing was lost or changed by accident. They do not say who made the archive.
pub fn verify(platform: &Platform, input: impl BufRead) -> Result<Verified, VerifyError> {
    let digest = platform.digest.as_ref();
    let (mut lines, mut inspection) = (Lines::new(input), Inspection::new(digest));
    while let Some(line) = lines.next()? {
        inspection.line(line);
        if inspection.flaws.len() >= ENOUGH {
            break;
        }
    }
    inspection.finish()
}

/// That an entry of a log follows from the one before it; otherwise why it does not.
pub(crate) fn check_link(digest: &dyn Digest, head: LogHead, entry: &LogEntry) -> Result<(), &'static str> {
    if entry.sequence != head.sequence + 1 {
        return Err("its number does not follow the one before");
    }
    if entry.previous != head.hash {
        return Err("it is not chained to the event before");
    }
    match digest.sha256(&chain_input(&entry.previous, &entry.event)) == entry.hash {
        true => Ok(()),
        false => Err("its hash is not that of the event"),
    }
}

struct Inspection<'a> {
    digest: &'a dyn Digest,
    number: u64,
    last: Option<Kind>,
    flaws: Vec<Flaw>,
    head: Option<Head>,
    trailer: Option<Trailer>,
    /// What was seen, until the trailer takes it.
    tally: Option<Tally>,
    user: Option<UserId>,
    names: HashSet<String>,
    configurations: Inspector,
    config: Option<(ConfigId, ConfigVersion)>,
    configs: BTreeMap<(ConfigId, ConfigVersion), String>,
    account: Option<AccountId>,
    units: BTreeSet<OrgId>,
    places: HashSet<OrgPlace>,
    accounts: HashSet<AccountId>,
    mapping: Option<(AccountId, MappingId)>,
    trade: Option<(AccountId, TradePlace)>,
    /// Of the account that is being read.
    trade_ids: HashSet<TradeId>,
    webhook: Option<WebhookId>,
    log: LogHead,
}

impl<'a> Inspection<'a> {
    fn new(digest: &'a dyn Digest) -> Self {
        Self {
            digest,
            number: 0,
            last: None,
            flaws: Vec::new(),
            head: None,
            trailer: None,
            tally: Some(Tally::new(digest)),
            user: None,
            names: HashSet::new(),
            configurations: Inspector::default(),
            config: None,
            configs: BTreeMap::new(),
            account: None,
            units: BTreeSet::new(),
            places: HashSet::new(),
            accounts: HashSet::new(),
            mapping: None,
            trade: None,
            trade_ids: HashSet::new(),
            webhook: None,
            log: LogHead::EMPTY,
        }
    }

    fn flaw(&mut self, what: impl Into<String>) {
        self.flaws.push(Flaw { line: self.number, what: what.into() });
    }

    fn line(&mut self, line: &[u8]) {
        self.number += 1;
        let Some(content) = line.strip_suffix(b"\n") else {
            return self.flaw("it is cut off");
        };
        let kind = kind_of(content);
        if kind != Some(Kind::Trailer)
            && let Some(tally) = &mut self.tally
        {
            tally.add(kind, line);
        }
        let Some(kind) = kind else {
            return self.flaw("it is no line of an archive: JSON with a known kind is expected");
        };
        self.order(kind);
        match read(kind, content) {
            Ok(entry) => self.entry(entry),
            Err(what) => self.flaw(what),
        }
    }

    fn order(&mut self, kind: Kind) {
        let single = matches!(kind, Kind::Head | Kind::Settings | Kind::Trailer);
        match self.last {
            None if kind != Kind::Head => self.flaw("an archive begins with its head"),
            Some(last) if kind < last => self.flaw(format!("a {kind} does not come after a {last}")),
            Some(last) if kind == last && single => self.flaw(format!("there is more than one {kind}")),
            _ => {}
        }
        self.last = self.last.max(Some(kind));
    }

    fn entry(&mut self, entry: Entry) {
        match entry {
            Entry::Head(head) => self.head(head),
            Entry::Settings(_) => {}
            Entry::User(credentials) => self.user(&credentials),
            Entry::Configuration(version) => {
                for what in self.configurations.check(&version) {
                    self.flaw(what);
                }
            }
            Entry::Config(config) => self.config(*config),
            Entry::Account(account) => self.account(&account),
            Entry::Organisation(unit) => self.unit(&unit),
            Entry::Mapping(mapping) => self.mapping(&mapping),
            Entry::Trade(trade) => self.trade(*trade),
            Entry::Webhook(webhook) => self.webhook(webhook.id),
            Entry::Event(entry) => {
                if let Err(what) = check_link(self.digest, self.log, &entry) {
                    self.flaw(format!("event {}: {what}", entry.sequence));
                }
                self.log = LogHead { sequence: entry.sequence, hash: entry.hash };
            }
            Entry::Trailer(trailer) => self.trailer(trailer),
        }
    }

    fn head(&mut self, head: Head) {
        if head.format != FORMAT || !(1..=FORMAT_VERSION).contains(&head.format_version) {
            self.flaw(format!(
                "it is a {} of version {}, written by {}; this version reads {FORMAT} up to version {FORMAT_VERSION}",
                head.format, head.format_version, head.tenantry_version
            ));
        }
        self.log = head.log_begin();
        if head.log_begins_after.is_some() && self.log.sequence < 1 {
            self.flaw(format!("no log begins after entry {}", self.log.sequence));
        }
        self.head = Some(head);
    }

    fn user(&mut self, Credentials { user, .. }: &Credentials) {
        if self.user.is_some_and(|before| user.id <= before) {
            self.flaw(format!("user {} is not in order", user.id));
        }
        // No address is a username with a space before it.
        let names = [user.email.folded(), format!(" {}", user.username)];
        if !names.map(|name| self.names.insert(name)).iter().all(|new| *new) {
            self.flaw(format!("user {} has an address or a username that another one has", user.id));
        }
        self.user = Some(user.id);
    }

    fn config(&mut self, config: StoredConfig) {
        let StoredConfig { id, version, resolved, hash, .. } = config;
        let follows = match &self.config {
            Some((before, last)) if *before == id => version == last.next(),
            Some((before, _)) if *before > id => false,
            _ => version == ConfigVersion::FIRST,
        };
        if !follows {
            self.flaw(format!("config {id}, version {version}, does not follow what comes before"));
        }
        if hexadecimal(&self.digest.sha256(json::canonical(&resolved).as_bytes())) != hash {
            self.flaw(format!("config {id}, version {version}: its hash is not that of the document"));
        }
        match serde_json::from_value::<AccountConfig>(resolved) {
            Ok(parsed) if parsed.id == id => {}
            Ok(parsed) => self.flaw(format!("config {id}, version {version}, is that of {}", parsed.id)),
            Err(error) => self.flaw(format!("config {id}, version {version}, is no account config: {error}")),
        }
        self.configs.insert((id.clone(), version), hash);
        self.config = Some((id, version));
    }

    fn account(&mut self, account: &AccountRecord) {
        if self.account.is_some_and(|before| account.id >= before) {
            self.flaw(format!("account {} is not in order", account.id));
        }
        let config = (account.config_id.clone(), account.config_version);
        if self.configs.get(&config) != Some(&account.config_hash) {
            let (id, version) = config;
            self.flaw(format!("account {}: its config {id}, version {version}, is not there", account.id));
        }
        self.account = Some(account.id);
        self.accounts.insert(account.id);
    }

    fn mapping(&mut self, mapping: &AccountMapping) {
        let place = (mapping.account, mapping.id);
        if self.mapping.is_some_and(|before| place <= before) {
            self.flaw(format!("mapping {} is not in order", mapping.id));
        }
        if !self.accounts.contains(&mapping.account) {
            self.flaw(format!("mapping {}: its account {} is not there", mapping.id, mapping.account));
        }
        self.mapping = Some(place);
    }

    fn unit(&mut self, unit: &OrgUnit) {
        if unit.id.kind() != unit.content.kind() {
            self.flaw(format!("unit {} is no {}", unit.id, unit.content.kind().noun()));
        }
        if self.units.last().is_some_and(|before| unit.id <= *before) {
            self.flaw(format!("unit {} is not in order", unit.id));
        }
        let (parent, target) = (unit.content.parent(), unit.content.target());
        for end in parent.into_iter().chain(target).filter(|end| !self.units.contains(end)) {
            self.flaws
                .push(Flaw { line: self.number, what: format!("unit {}: {end} is not there", unit.id) });
        }
        if !self.places.insert(unit.content.place()) {
            self.flaw(format!("unit {} has a place that another one has", unit.id));
        }
        self.units.insert(unit.id);
    }

    fn trade(&mut self, AppliedTrade { account, trade, place, .. }: AppliedTrade) {
        let id = trade.trade_id;
        if self.trade.is_some_and(|before| (account, place) <= before) {
            self.flaw(format!("trade {id} of account {account} is not in order"));
        }
        if !self.accounts.contains(&account) {
            self.flaw(format!("trade {id}: its account {account} is not there"));
        }
        if self.trade.is_none_or(|(before, _)| before != account) {
            self.trade_ids.clear();
        }
        if !self.trade_ids.insert(id.clone()) {
            self.flaw(format!("account {account} has two trades {id}"));
        }
        self.trade = Some((account, place));
    }

    fn webhook(&mut self, id: WebhookId) {
        if self.webhook.is_some_and(|before| id <= before) {
            self.flaw(format!("webhook {id} is not in order"));
        }
        self.webhook = Some(id);
    }

    fn trailer(&mut self, told: Trailer) {
        let Some(found) = self.tally.take().map(Tally::trailer) else { return };
        if let Some(what) = self.configurations.finish() {
            self.flaw(what);
        }
        for kind in Kind::RECORDS {
            let (told, found) = (told.records.get(&kind), found.records.get(&kind));
            // An archive of an earlier version does not speak of what there was not then.
            if told.is_none() && found.is_some_and(|sum| sum.count == 0) {
                continue;
            }
            let told = told.map(|sum| (sum.count, sum.sha256.as_str())).unwrap_or_default();
            let found = found.map(|sum| (sum.count, sum.sha256.as_str())).unwrap_or_default();
            if told.0 != found.0 {
                self.flaw(format!("there should be {} of kind {kind}, and there are {}", told.0, found.0));
            }
            if told.1 != found.1 {
                self.flaw(format!("the lines of kind {kind} are not those that were exported"));
            }
        }
        if found.count(Kind::Settings) != 1 {
            self.flaw("the settings are missing");
        }
        if (told.lines, &told.sha256) != (found.lines, &found.sha256) {
            self.flaw(format!(
                "the archive is not what was exported: {} lines with SHA-256 {} instead of {} with {}",
                found.lines, found.sha256, told.lines, told.sha256
            ));
        }
        self.trailer = Some(told);
    }

    fn finish(mut self) -> Result<Verified, VerifyError> {
        if self.trailer.is_none() && self.flaws.len() < ENOUGH {
            self.number += 1;
            self.flaw("the archive has no end: its trailer is missing");
        }
        match (self.head, self.trailer) {
            (Some(head), Some(trailer)) if self.flaws.is_empty() => Ok(Verified { head, trailer }),
            _ => Err(VerifyError::Flawed(self.flaws)),
        }
    }
}
