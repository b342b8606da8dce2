//! How much is taken from one client, and whom to believe which client that is.

use tenantry_http_actix::{InvalidProxy, RateLimit, RateLimits, TrustedProxies};

use super::Reader;

/// Highest rate per minute, and most at once.
const MOST: u32 = 60_000;

impl Reader<'_> {
    pub(super) fn rate_limits(&mut self) -> RateLimits {
        RateLimits {
            orders: self.rate_limit(
                "provisioning.rate_limit.orders_per_minute",
                "provisioning.rate_limit.orders_burst",
            ),
            status: self.rate_limit(
                "provisioning.rate_limit.status_per_minute",
                "provisioning.rate_limit.status_burst",
            ),
            login: self.rate_limit("auth.rate_limit.logins_per_minute", "auth.rate_limit.logins_burst"),
        }
    }

    fn rate_limit(&mut self, per_minute: &'static str, burst: &'static str) -> RateLimit {
        RateLimit { per_minute: self.number(per_minute, 0, MOST), burst: self.number(burst, 1, MOST) }
    }

    pub(super) fn trusted_proxies(&mut self) -> TrustedProxies {
        self.read("server.trusted_proxies", TrustedProxies::default(), |text| {
            text.parse().map_err(|error: InvalidProxy| error.to_string())
        })
    }
}
