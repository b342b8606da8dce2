//! `[webhooks]`: what tenants' endpoints may be, and how they are called.

use std::str::FromStr;
use std::time::Duration;

use tenantry_outbound_reqwest::{Networks, Ports};

use super::{Reader, SECOND};

/// `[webhooks]`
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    pub(crate) allow_private: bool,
    pub(crate) allow_http: bool,
    pub(crate) networks: Networks,
    pub(crate) ports: Ports,
    pub(crate) timeout: Duration,
    /// In bytes.
    pub(crate) excerpt: usize,
}

impl Reader<'_> {
    pub(super) fn webhooks(&mut self) -> Webhooks {
        Webhooks {
            allow_private: self.flag("webhooks.allow_private"),
            allow_http: self.flag("webhooks.allow_http"),
            networks: self.read("webhooks.allow_networks", Networks::default(), parsed),
            ports: self.read("webhooks.ports", Ports::default(), parsed),
            timeout: self.duration("webhooks.timeout", 15 * SECOND, 30 * SECOND),
            excerpt: self.size("webhooks.excerpt", 0, 64 << 10) as usize,
        }
    }
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
