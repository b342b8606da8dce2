//! How much is taken from whom: token buckets, and what callers are told of theirs.
//!
//! [`Buckets`] is the mechanism, whatever is counted; [`Policy`] names what is counted by client address, and
//! [`guard`](guard::guard) stands before the endpoints that have one. Each process counts on its own.

mod buckets;
mod fields;
mod guard;

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

pub(crate) use buckets::{Buckets, Standing, Ticks};
pub(crate) use fields::policy as policy_field;
pub(crate) use guard::{Rates, guard};

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

    /// As governor says it; none where there is no limit.
    pub(crate) fn quota(self) -> Option<Quota> {
        let per_minute = NonZeroU32::new(self.per_minute)?;
        Some(
            Quota::per_minute(per_minute).allow_burst(NonZeroU32::new(self.burst).unwrap_or(NonZeroU32::MIN)),
        )
    }

    /// How long an empty bucket takes to fill.
    pub(crate) fn window(self) -> Duration {
        self.quota().map_or(Duration::ZERO, |quota| quota.burst_size_replenished_in())
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
