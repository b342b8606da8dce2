//! The HTTP server, as this process runs it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{JoinHandle, available_parallelism};

use actix_web::dev::ServerHandle;
use actix_web::rt::spawn;
use tenantry_http_actix::{HttpSettings, HttpState, Readiness};
use tenantry_store_diesel::Stores;
use tenantry_usecases::signing_keys;
use tenantry_worker::Recorder;
use tokio::task::spawn_blocking;

use crate::compose::{self, Installation};
use crate::failure::Failure;
use crate::settings::Settings;

/// A server that listens.
pub(super) struct Http {
    pub(super) address: SocketAddr,
    state: Arc<HttpState>,
    handle: ServerHandle,
    recorder: Recorder,
    heart: Heart,
}

impl Http {
    /// Listens and serves from now on.
    pub(super) fn start(settings: &Settings, installation: &Installation) -> Result<Self, Failure> {
        let readiness = Arc::new(Databases(Arc::clone(&installation.stores)));
        let platform = Arc::clone(&installation.platform);
        let doors = compose::doors(settings)?;
        let (watch, tails) = (Arc::clone(&installation.watch), Arc::clone(&installation.tails));
        signing_keys::ensure(&platform).map_err(|error| compose::store_failure(&error))?;
        let recorder = Recorder::start(&platform).map_err(|error| no_threads(&error))?;
        let state = HttpState::new(platform, http_settings(settings), doors, watch, tails, readiness);
        let state = Arc::new(state.map_err(|error| no_threads(&error))?);
        let heart = Heart::start(&state)?;
        let bind = settings.server.bind;
        let serving =
            tenantry_http_actix::serve(Arc::clone(&state)).map_err(|error| cannot_listen(bind, &error))?;
        let handle = serving.server.handle();
        spawn(serving.server);
        let address = serving.addresses.first().copied().unwrap_or(bind);
        Ok(Self { address, state, handle, recorder, heart })
    }

    /// Says "not ready" and accepts nobody any more, then finishes the requests under way.
    pub(super) async fn stop(self) {
        self.state.drain();
        self.handle.stop(true).await;
        // What it panicked with was logged when it did.
        let _ = spawn_blocking(move || self.recorder.stop()).await;
        self.heart.stop();
    }
}

/// Tells the other processes every few seconds that this one answers requests, on a thread of its own: however busy the others
/// are, it goes on.
struct Heart {
    /// Dropped to stop it.
    beats: Sender<()>,
    thread: JoinHandle<()>,
}

impl Heart {
    /// Once before anything is answered, and then every few seconds.
    fn start(state: &Arc<HttpState>) -> Result<Self, Failure> {
        state.announce();
        let (beats, stopped) = mpsc::channel();
        let state = Arc::clone(state);
        let beat = move || {
            while stopped.recv_timeout(HttpState::HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                state.announce();
            }
            state.withdraw();
        };
        let thread = std::thread::Builder::new()
            .name("heart".to_owned())
            .spawn(beat)
            .map_err(|error| no_threads(&error))?;
        Ok(Self { beats, thread })
    }

    fn stop(self) {
        drop(self.beats);
        // It does not panic; were it to, the others would notice by themselves.
        let _ = self.thread.join();
    }
}

fn no_threads(error: &io::Error) -> Failure {
    Failure::new(format!("the server cannot be started: {error}"), "allow this user more threads")
}

fn cannot_listen(bind: SocketAddr, error: &io::Error) -> Failure {
    let (why, next) = match error.kind() {
        io::ErrorKind::AddrInUse => ("another program listens there", "stop it, or choose another address"),
        io::ErrorKind::AddrNotAvailable => ("this machine does not have that address", "choose one it has"),
        io::ErrorKind::PermissionDenied => ("this user may not", "choose a port from 1024 on"),
        _ => (&*error.to_string(), "choose another address"),
    };
    Failure::new(format!("cannot listen on {bind}: {why}"), format!("{next} with --bind or TENANTRY_BIND"))
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
        rate_limits: settings.rate_limits,
        caller_percent: settings.caller_percent,
        trusted_proxies: server.trusted_proxies.clone(),
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
