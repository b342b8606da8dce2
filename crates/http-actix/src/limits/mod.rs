//! How much is taken from whom: token buckets, and what callers are told of theirs.
//!
//! [`Buckets`] is the mechanism, whatever is counted; [`Policy`] names what is counted by client address, and
//! [`guard`](guard::guard) stands before the endpoints that have one: there each process counts on its own. [`TenantRates`]
//! counts by tenant and by caller, wherever a credential is asked for, and shares the rates with the other processes.

mod bucket;
mod buckets;
mod fields;
mod fleet;
mod guard;
mod tenants;

use std::time::Duration;

pub(crate) use bucket::Standing;
pub(crate) use buckets::{Buckets, Ticks};
pub(crate) use fields::{policy as policy_field, tell_caller};
pub(crate) use guard::{Rates, guard};
pub(crate) use tenants::{Standings, TenantRates};

/// A rate: so many at once, and one more whenever a fraction of a minute has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// In the long run; 0: as many as come.
    pub per_minute: u32,
    /// At once, by whoever has not come for a while; at least 1.
    pub burst: u32,
}

impl RateLimit {
    /// As many as come.
    pub const NONE: Self = Self { per_minute: 0, burst: 1 };

    /// Whether as many are taken as come.
    pub(crate) const fn is_none(self) -> bool {
        self.per_minute == 0
    }

    /// How long an empty bucket takes to fill; no time without a limit.
    pub(crate) fn window(self) -> Duration {
        let nanos = u128::from(self.burst) * 60_000_000_000;
        let window = nanos.checked_div(self.per_minute.into()).unwrap_or(0);
        Duration::from_nanos(u64::try_from(window).unwrap_or(u64::MAX))
    }
}

/// What is taken from one client address: an IPv4 address, or the network of 64 bits around an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Orders for tenants, and their confirmations.
    pub orders: RateLimit,
    /// Looks at how far a provisioning is.
    pub status: RateLimit,
    /// Attempts to sign in.
    pub login: RateLimit,
}

impl Default for RateLimits {
    fn default() -> Self {
        let a_minutes_at_once = |per_minute| RateLimit { per_minute, burst: per_minute };
        Self { orders: a_minutes_at_once(60), status: a_minutes_at_once(1200), login: a_minutes_at_once(120) }
    }
}

impl RateLimits {
    /// No limit at all.
    pub const NONE: Self = Self { orders: RateLimit::NONE, status: RateLimit::NONE, login: RateLimit::NONE };

    pub(crate) const fn of(&self, policy: Policy) -> RateLimit {
        match policy {
            Policy::Orders => self.orders,
            Policy::Status => self.status,
            Policy::Login => self.login,
        }
    }
}

/// What is counted by client address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Policy {
    /// [`RateLimits::orders`].
    Orders,
    /// [`RateLimits::status`].
    Status,
    /// [`RateLimits::login`].
    Login,
}

impl Policy {
    /// As callers are told it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Status => "status",
            Self::Login => "login",
        }
    }
}
