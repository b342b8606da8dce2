use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Plan, Slug, Tenant, TenantName};
use tenantry_domain::timestamp;
use tenantry_ports::{Digest, LogHead, RunningDigest, hexadecimal};

use super::record::{Line, hash};

/// What the archives of this module call themselves.
pub(super) const FORMAT: &str = "tenantry-export";

/// Grows when older programs could no longer read an archive.
pub(super) const FORMAT_VERSION: u32 = 5;

/// What an archive says whose log begins at its beginning: older programs read it, too.
pub(super) const FORMAT_VERSION_OF_WHOLE_LOGS: u32 = 4;

/// What a line of an archive holds; lines come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What the archive is: its first line.
    Head,
    /// The tenant's settings: one line.
    Settings,
    /// A person, with the hash of their password.
    User,
    /// A version of the basis or of a process.
    Configuration,
    /// A version of an account config.
    Config,
    /// An account.
    Account,
    /// A unit of the organisation; what others hang on comes first.
    Organisation,
    /// That an account is a website user's, or was.
    Mapping,
    /// A trade that was applied to an account.
    Trade,
    /// A webhook endpoint.
    Webhook,
    /// An entry of the event log.
    Event,
    /// What has to be in the archive: its last line.
    Trailer,
}

impl Kind {
    /// The kinds that hold the tenant's data.
    pub const RECORDS: [Self; 10] = [
        Self::Settings,
        Self::User,
        Self::Configuration,
        Self::Config,
        Self::Account,
        Self::Organisation,
        Self::Mapping,
        Self::Trade,
        Self::Webhook,
        Self::Event,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Settings => "settings",
            Self::User => "user",
            Self::Configuration => "configuration",
            Self::Config => "config",
            Self::Account => "account",
            Self::Organisation => "organisation",
            Self::Mapping => "mapping",
            Self::Trade => "trade",
            Self::Webhook => "webhook",
            Self::Event => "event",
            Self::Trailer => "trailer",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first line: what this is, and whose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    /// [`Kind::Head`].
    pub kind: Kind,
    /// `tenantry-export`.
    pub format: String,
    /// 4, or 5 if the log begins later than at its beginning; earlier versions had fewer kinds of lines.
    pub format_version: u32,
    /// Whose data it is.
    pub tenant: TenantFacts,
    /// The schema of the database that it was read from.
    pub schema: String,
    /// When it was read.
    #[serde(with = "timestamp")]
    pub exported_at: DateTime<Utc>,
    /// Which program wrote it.
    pub tenantry_version: String,
    /// The last entry of the event log that was let go of, if any was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_begins_after: Option<LogPlace>,
}

impl Head {
    /// After which entry the events begin.
    pub(super) fn log_begin(&self) -> LogHead {
        self.log_begins_after.map_or(LogHead::EMPTY, |LogPlace { sequence, hash }| LogHead { sequence, hash })
    }
}

/// A place in an event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPlace {
    /// Which entry.
    pub sequence: i64,
    /// What the next one is chained to.
    #[serde(with = "hash")]
    pub hash: [u8; 32],
}

/// What an archive says of the tenant itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the members of the tenant it was")]
pub struct TenantFacts {
    pub id: TenantId,
    pub slug: Slug,
    pub name: TenantName,
    pub plan: Plan,
    pub contact_email: Option<Email>,
    pub config: Option<Map<String, Value>>,
}

impl From<&Tenant> for TenantFacts {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id,
            slug: tenant.slug.clone(),
            name: tenant.name.clone(),
            plan: tenant.plan,
            contact_email: tenant.contact_email.clone(),
            config: tenant.config.clone(),
        }
    }
}

/// The last line: what comes before it, counted and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trailer {
    /// [`Kind::Trailer`].
    pub kind: Kind,
    /// The lines of each kind, in their order.
    pub records: BTreeMap<Kind, Sum>,
    /// How many lines come before this one.
    pub lines: u64,
    /// Hexadecimal SHA-256 over all of them, line ends included.
    pub sha256: String,
}

/// The lines of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Hexadecimal SHA-256 over them, line ends included.
    pub sha256: String,
}

impl Trailer {
    /// How many lines of this kind there are.
    pub fn count(&self, kind: Kind) -> u64 {
        self.records.get(&kind).map_or(0, |sum| sum.count)
    }
}

/// Counts and hashes lines as they pass.
pub(super) struct Tally {
    kinds: BTreeMap<Kind, (u64, Box<dyn RunningDigest>)>,
    lines: u64,
    whole: Box<dyn RunningDigest>,
}

impl Tally {
    pub(super) fn new(digest: &dyn Digest) -> Self {
        let kinds = Kind::RECORDS.map(|kind| (kind, (0, digest.running()))).into();
        Self { kinds, lines: 0, whole: digest.running() }
    }

    /// A line with its end; of no kind, if nobody can say of which.
    pub(super) fn add(&mut self, kind: Option<Kind>, line: &[u8]) {
        self.lines += 1;
        self.whole.update(line);
        if let Some((count, digest)) = kind.and_then(|kind| self.kinds.get_mut(&kind)) {
            *count += 1;
            digest.update(line);
        }
    }

    pub(super) fn trailer(self) -> Trailer {
        let sum = |(kind, (count, digest)): (Kind, (u64, Box<dyn RunningDigest>))| {
            (kind, Sum { count, sha256: hexadecimal(&digest.finish()) })
        };
        Trailer {
            kind: Kind::Trailer,
            records: self.kinds.into_iter().map(sum).collect(),
            lines: self.lines,
            sha256: hexadecimal(&self.whole.finish()),
        }
    }
}

/// Writes an archive.
pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    tally: Tally,
}

impl<'a> Writer<'a> {
    /// Begins with the head.
    pub(super) fn new(out: &'a mut dyn Write, digest: &dyn Digest, head: &Head) -> io::Result<Self> {
        let mut writer = Self { out, tally: Tally::new(digest) };
        writer.line(Kind::Head, head)?;
        Ok(writer)
    }

    /// Writes a record.
    pub(super) fn record(&mut self, kind: Kind, data: &impl Serialize) -> io::Result<()> {
        self.line(kind, &Line { kind, data })
    }

    /// Ends with the trailer.
    pub(super) fn finish(self) -> io::Result<Trailer> {
        let trailer = self.tally.trailer();
        let mut line = serde_json::to_vec(&trailer)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()?;
        Ok(trailer)
    }

    fn line(&mut self, kind: Kind, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.tally.add(Some(kind), &bytes);
        self.out.write_all(&bytes)
    }
}
