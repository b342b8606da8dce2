use std::net::SocketAddr;
use std::time::Duration;

use crate::{RateLimits, TrustedProxies};

/// How the server listens and how much it takes on.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Threads that serve connections.
    pub workers: usize,
    /// What the versioned routes begin with, without slashes around it, as in `api/v1`.
    pub api_prefix: String,
    /// Threads for storage: as many as there are connections to a database to use.
    pub storage_threads: usize,
    /// Jobs that may wait for a storage thread; one more is answered with 503.
    pub storage_queue: usize,
    /// Threads for password hashing.
    pub hashing_threads: usize,
    /// Jobs that may wait for a hashing thread; one more is answered with 503.
    pub hashing_queue: usize,
    /// Largest request body in bytes; a larger one is answered with 413.
    pub body_limit: usize,
    /// Whether cookies are sent back over TLS alone. Only a server that listens on loopback goes without.
    pub secure_cookies: bool,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a client may take to send a request's head.
    pub request_timeout: Duration,
    /// How long requests under way may take to finish when the server stops.
    pub shutdown_timeout: Duration,
    /// How long `POST {prefix}/tenants` waits for the new tenant to become active.
    pub activation_wait: Duration,
    /// How often a stream of events says that it is alive when it has nothing else to say.
    pub heartbeat: Duration,
    /// How many requests are taken from one client.
    pub rate_limits: RateLimits,
    /// Which part of its tenant's rate of requests one caller may have, in percent, 1 to 100; 100: all of it.
    pub caller_percent: u8,
    /// Who may say for which client it speaks.
    pub trusted_proxies: TrustedProxies,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 5000)),
            workers: 2,
            api_prefix: "api/v1".to_owned(),
            storage_threads: 4,
            storage_queue: 256,
            hashing_threads: 1,
            hashing_queue: 64,
            body_limit: 256 * 1024,
            secure_cookies: false,
            keep_alive: Duration::from_secs(75),
            request_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(30),
            activation_wait: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
            rate_limits: RateLimits::default(),
            caller_percent: 50,
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

impl HttpSettings {
    /// The prefix as paths begin with it: a slash before, none after; empty for none.
    pub(crate) fn prefix(&self) -> String {
        match self.api_prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_around_the_prefix_do_not_matter() {
        for (given, used) in [("api/v1", "/api/v1"), ("/api/v1/", "/api/v1"), ("", ""), ("/", "")] {
            let settings = HttpSettings { api_prefix: given.to_owned(), ..HttpSettings::default() };
            assert_eq!(settings.prefix(), used);
        }
    }
}
