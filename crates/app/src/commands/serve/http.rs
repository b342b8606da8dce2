//! The HTTP server, as this process runs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use tenantry_http_actix::{HttpSettings, HttpState, Readiness};
use tenantry_store_diesel::Stores;

use crate::compose::Installation;
use crate::failure::Failure;
use crate::settings::Settings;

/// A server that listens.
pub(super) struct Http {
    pub(super) address: SocketAddr,
    state: Arc<HttpState>,
}

impl Http {
    pub(super) fn start(settings: &Settings, installation: &Installation) -> Result<Self, Failure> {
        let state = HttpState::new(
            Arc::clone(&installation.platform),
            http_settings(settings),
            Arc::new(Databases(Arc::clone(&installation.stores))),
        );
        let _ = state;
        unimplemented!()
    }

    /// Says "not ready" and accepts nobody any more, then finishes the requests under way.
    pub(super) async fn stop(self) {
        self.state.drain();
    }
}

fn http_settings(settings: &Settings) -> HttpSettings {
    let server = &settings.server;
    let processors = available_parallelism().map_or(2, usize::from);
    let or = |chosen: usize, default: usize| if chosen == 0 { default } else { chosen };
    HttpSettings {
        bind: server.bind,
        workers: or(server.workers, processors),
        api_prefix: server.api_prefix.clone(),
        storage_threads: or(server.storage_threads, (2 * processors).max(4)),
        // Hashing keeps a processor busy; some are left for everything else.
        hashing_threads: (processors / 2).max(1),
        body_limit: server.body_limit,
        secure_cookies: !server.bind.ip().is_loopback(),
        shutdown_timeout: server.shutdown_timeout,
        ..HttpSettings::default()
    }
}

/// Ready is a server whose control database answers.
struct Databases(Arc<Stores>);

impl Readiness for Databases {
    fn checks(&self) -> Vec<(&'static str, bool)> {
        vec![("control_database", self.0.ping().is_ok())]
    }
}
