//! How many may try to sign in, and how fast: by account, by address, and everywhere together.
//!
//! An account's count is taken before the password is looked at, so that a thousand attempts at once are no better than one
//! after the other. A device that has signed in to the account before has a count of its own and is not slowed by what
//! strangers do; everybody else waits, but never longer than the longest wait of [`Pace::ACCOUNT`].

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::{Email, Pace};
use tenantry_ports::{ControlTx, MacPurpose, StoreResult};

use super::tokens::KnownDevice;
use crate::Platform;

/// Too many attempts have failed; the password was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the next attempt can be made at {until}")]
pub struct TooEarly {
    /// When it was made.
    pub now: DateTime<Utc>,
    /// When the next one can be made.
    pub until: DateTime<Utc>,
}

/// How many counts are removed in one transaction.
const SLICE: usize = 500;

/// Removes what is remembered no more of attempts from addresses and at tenants that are none, which anybody can make many of;
/// how many counts that were. What a tenant's own database counts is removed there, as people sign in.
pub fn forget_old_attempts(platform: &Platform) -> StoreResult<usize> {
    let now = platform.clock.now();
    let mut removed = 0;
    while platform.control.read(|tx| tx.attempts().any_over(now))? {
        let slice = platform.control.write(|tx| tx.attempts().remove_over(now, SLICE))?;
        removed += slice;
        if slice < SLICE {
            break;
        }
    }
    Ok(removed)
}

/// Under what an attempt is counted.
pub(super) struct Throttle {
    /// The account, or the device at the account.
    pub(super) account: [u8; 32],
    /// Where strangers come from, and at what pace from there.
    origins: Vec<([u8; 32], Pace)>,
}

impl Throttle {
    /// Of an attempt at an account.
    pub(super) fn at(
        platform: &Platform,
        tenant: TenantId,
        email: &Email,
        device: Option<KnownDevice>,
        network: Option<IpAddr>,
    ) -> Self {
        match device {
            Some(KnownDevice(number)) => {
                Self { account: key(platform, "device", &[&number]), origins: Vec::new() }
            }
            None => {
                let (tenant, email) = (tenant.uuid(), email.folded());
                let account = key(platform, "account", &[tenant.as_bytes(), email.as_bytes()]);
                Self { account, origins: origins(platform, network) }
            }
        }
    }

    /// Of an attempt where nobody can sign in. It is slowed just so, or the difference would tell which tenants there are.
    pub(super) fn nowhere(platform: &Platform, named: &str, email: &Email, network: Option<IpAddr>) -> Self {
        let email = email.folded();
        let account = key(platform, "nowhere", &[named.as_bytes(), b"\0", email.as_bytes()]);
        Self { account, origins: origins(platform, network) }
    }

    /// Whether whoever comes from there has to wait; one question, and none about a known device.
    pub(super) fn waits(&self, platform: &Platform, now: DateTime<Utc>) -> StoreResult<Option<TooEarly>> {
        if self.origins.is_empty() {
            return Ok(None);
        }
        let keys: Vec<_> = self.origins.iter().map(|(key, _)| *key).collect();
        let found = platform.control.read(|tx| tx.attempts().find(&keys))?;
        let waits = found.into_iter().filter_map(|(key, tally)| {
            let (_, pace) = self.origins.iter().find(|(known, _)| *known == key)?;
            pace.waits(tally, now)
        });
        Ok(waits.max().map(|until| TooEarly { now, until }))
    }

    /// Notes that an attempt from there has failed.
    pub(super) fn failed(&self, platform: &Platform, now: DateTime<Utc>) -> StoreResult<()> {
        if self.origins.is_empty() {
            return Ok(());
        }
        platform.control.write(|tx: &mut dyn ControlTx| {
            self.origins.iter().try_for_each(|(key, pace)| tx.attempts().count(key, pace, now))
        })
    }
}

/// In the order in which rows are locked: what everybody shares comes last, and is held shortest. Whoever is on this very
/// machine has no address to be counted by: it may be a program that signs many people in.
fn origins(platform: &Platform, network: Option<IpAddr>) -> Vec<([u8; 32], Pace)> {
    let address =
        network.map(|network| (key(platform, "address", &[network.to_string().as_bytes()]), Pace::ADDRESS));
    address.into_iter().chain([(key(platform, "everywhere", &[]), Pace::EVERYWHERE)]).collect()
}

/// The name that something is counted under.
pub(super) fn key(platform: &Platform, what: &str, parts: &[&[u8]]) -> [u8; 32] {
    let all: Vec<&[u8]> = [what.as_bytes(), b"\0"].into_iter().chain(parts.iter().copied()).collect();
    platform.macs.make(MacPurpose::Attempts, &all)
}
