use std::collections::BTreeSet;

use serde_json::Value;
use tenantry_domain::event::chain_input_of;
use tenantry_domain::id::TenantId;
use tenantry_ports::{LogFloor, LogHead, RawEntry, SignedHead, StoreError, StoreResult};

use super::floor::is_our_floor;
use super::statement::is_ours;
use crate::log::OpenLog;
use crate::{Log, Platform};

/// How many entries are looked at at a time.
const PAGE: usize = 500;

/// What came of looking at a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How far the log says that it has come.
    pub head: LogHead,
    /// Its first place: what was before was let go of.
    pub first: i64,
    /// How many entries were looked at.
    pub entries: u64,
    /// With how many statements they were compared.
    pub statements: usize,
    /// How many statements in the control database were not signed with a secret key that the settings have: one that was
    /// replaced and let go of, or none. They say nothing.
    pub unknown: usize,
    /// The first thing that is wrong, if anything is.
    pub flaw: Option<Flaw>,
}

/// The first bad entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Its place.
    pub sequence: i64,
    /// The id of the event that stands there, if one does.
    pub event: Option<String>,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with an entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// There is none.
    #[error("the entry is missing")]
    Missing,
    /// It does not follow the one before: it was moved, or one of them was exchanged.
    #[error("the entry is not chained to the one before it")]
    Unchained,
    /// Its content is not what was hashed.
    #[error("the entry was changed after it was written")]
    Altered,
    /// The columns beside the event say something else than the event.
    #[error("the columns of the entry say something else than its event")]
    Mislabelled,
    /// The end of the log is another than its head says.
    #[error("the end of the log is not what its head says")]
    Beheaded,
    /// It stands after the end of the log, or before its beginning.
    #[error("the entry stands where the log does not reach: it was put there")]
    Stray,
    /// A statement knows the log to have come further.
    #[error("the log was cut off: a signed statement knows of this entry")]
    CutOff,
    /// A statement knows another entry in this place: from here on, or from somewhere before, the log was written anew.
    #[error("the log was written anew: a signed statement knows another entry in this place")]
    Rewritten,
    /// A statement that was given was not made here, or was changed.
    #[error("a statement about this entry was not signed with a secret key that the settings have")]
    Forged,
    /// Where the log is said to begin was not said here, or was changed.
    #[error(
        "the log is said to begin after this entry, which was not signed with a secret key that the settings have"
    )]
    ForgedFloor,
}

impl What {
    /// Stable, snake_case, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unchained => "unchained",
            Self::Altered => "altered",
            Self::Mislabelled => "mislabelled",
            Self::Beheaded => "beheaded",
            Self::Stray => "stray",
            Self::CutOff => "cut_off",
            Self::Rewritten => "rewritten",
            Self::Forged => "forged_statement",
            Self::ForgedFloor => "forged_floor",
        }
    }
}

/// Looks at a log from where it begins to its end, in constant memory, and compares it with the statements that are kept
/// in the control database and with these. What is written meanwhile is not looked at.
pub fn verify(platform: &Platform, log: &Log, others: &[SignedHead]) -> StoreResult<Audit> {
    let (owner, log) = (log.owner(), log.open(platform)?);
    loop {
        let floor = log.floor()?;
        let audit = from(platform, owner, &log, floor, others)?;
        // What is let go of meanwhile looks as if it were missing.
        if audit.flaw.is_none() || log.floor()? == floor {
            return Ok(audit);
        }
    }
}

/// The same from this floor on.
fn from(
    platform: &Platform,
    tenant: Option<TenantId>,
    log: &OpenLog,
    floor: Option<LogFloor>,
    others: &[SignedHead],
) -> StoreResult<Audit> {
    let ours = |signed: &SignedHead| is_ours(platform.macs.as_ref(), signed);
    // Before the head is read: then none of them can be ahead of it.
    let mut statements = platform.control.read(|tx| tx.heads().of(tenant))?;
    let kept = statements.len();
    // Whoever can change one of those can remove it as well, and a secret key that was replaced takes its own with it.
    statements.retain(ours);
    let unknown = kept - statements.len();
    statements.extend(others.iter().filter(|signed| signed.tenant == tenant));
    let forged = statements.iter().find(|signed| !ours(signed)).map(|signed| signed.head.sequence);
    let begin = floor.map_or(LogHead::EMPTY, |floor| floor.head);
    // What they know of what was let go of, nobody can compare any more.
    statements.retain(|signed| signed.head.sequence >= begin.sequence);
    let end = log.read(|log| log.head())?;
    let (first, statements_compared) = (begin.sequence + 1, statements.len());
    let audit =
        |entries, flaw| Audit { head: end, first, entries, statements: statements_compared, unknown, flaw };

    if let Some(forged) = forged {
        return Ok(audit(0, Some(Flaw::missing(forged, What::Forged))));
    }
    let known = statements.iter().map(|signed| (signed.head.sequence, signed.head.hash)).collect();
    let mut walk = Walk { platform, known, head: begin, entries: 0 };
    if let Some(flaw) = walk.beginning(tenant, log, floor)? {
        return Ok(audit(0, Some(flaw)));
    }
    while walk.head.sequence < end.sequence {
        let page = log.read(|log| log.raw(walk.head.sequence, PAGE))?;
        let in_log = page.iter().take_while(|row| row.sequence <= end.sequence);
        let mut seen = false;
        for row in in_log {
            seen = true;
            if let Some(flaw) = walk.step(row) {
                return Ok(audit(walk.entries, Some(flaw)));
            }
        }
        if !seen {
            return Ok(audit(walk.entries, Some(Flaw::missing(walk.head.sequence + 1, What::Missing))));
        }
    }
    let flaw = if walk.head != end {
        Some(Flaw::missing(end.sequence, What::Beheaded))
    } else if let Some(cut) = walk.beyond() {
        Some(Flaw::missing(cut, What::CutOff))
    } else {
        // What is written meanwhile moves the head; what is not, does not.
        log.read(|log| {
            let stray = log.raw(end.sequence, 1)?.into_iter().next();
            let end = log.head()?;
            let stray = stray.filter(|row| row.sequence > end.sequence);
            Ok::<_, StoreError>(stray.map(|row| Flaw::of(&row, What::Stray)))
        })?
    };
    Ok(audit(walk.entries, flaw))
}

struct Walk<'a> {
    platform: &'a Platform,
    /// What stands where, by the statements. They may disagree.
    known: BTreeSet<(i64, [u8; 32])>,
    head: LogHead,
    entries: u64,
}

impl Walk<'_> {
    /// What is wrong with where the log begins.
    fn beginning(
        &self,
        tenant: Option<TenantId>,
        log: &OpenLog,
        floor: Option<LogFloor>,
    ) -> StoreResult<Option<Flaw>> {
        let LogHead { sequence, hash } = self.head;
        if floor.is_some_and(|floor| !is_our_floor(self.platform.macs.as_ref(), tenant, &floor)) {
            return Ok(Some(Flaw::missing(sequence, What::ForgedFloor)));
        }
        if floor.is_some() && self.contradicts(sequence, hash) {
            return Ok(Some(Flaw::missing(sequence, What::Rewritten)));
        }
        let lowest = log.read(|log| log.raw(i64::MIN, 1))?.into_iter().next();
        let stray = lowest.filter(|row| row.sequence <= sequence);
        Ok(stray.map(|row| Flaw::of(&row, What::Stray)))
    }

    /// Whether a statement knows another entry in this place.
    fn contradicts(&self, sequence: i64, hash: [u8; 32]) -> bool {
        self.known.range((sequence, [0; 32])..=(sequence, [0xff; 32])).any(|(_, known)| *known != hash)
    }

    /// Takes the next entry; what is wrong with it otherwise.
    fn step(&mut self, row: &RawEntry) -> Option<Flaw> {
        let next = self.head.sequence + 1;
        if row.sequence != next {
            return Some(Flaw::missing(next, What::Missing));
        }
        if row.previous != self.head.hash {
            return Some(Flaw::of(row, What::Unchained));
        }
        let envelope = serde_json::from_str::<Value>(&row.envelope).ok();
        let hash = envelope
            .as_ref()
            .map(|envelope| self.platform.digest.sha256(&chain_input_of(&self.head.hash, envelope)));
        let (Some(envelope), Some(hash)) = (envelope, hash.filter(|hash| row.hash == hash)) else {
            return Some(Flaw::of(row, What::Altered));
        };
        let account = row.account_id.as_deref();
        let columns = [Some(row.id.as_str()), Some(row.event_type.as_str()), account];
        if ["id", "eventType", "accountId"].map(|member| envelope[member].as_str()) != columns {
            return Some(Flaw::of(row, What::Mislabelled));
        }
        if self.contradicts(next, hash) {
            return Some(Flaw::of(row, What::Rewritten));
        }
        self.head = LogHead { sequence: next, hash };
        self.entries += 1;
        None
    }

    /// The first entry that is missing, if a statement knows the log to have come further.
    fn beyond(&self) -> Option<i64> {
        let (last, _) = self.known.last()?;
        (*last > self.head.sequence).then_some(self.head.sequence + 1)
    }
}

impl Flaw {
    const fn missing(sequence: i64, what: What) -> Self {
        Self { sequence, event: None, what }
    }

    fn of(row: &RawEntry, what: What) -> Self {
        Self { sequence: row.sequence, event: Some(row.id.clone()), what }
    }
}
