//! `serve`: the server, from its start to its end.

mod banner;
mod http;
mod shutdown;

use std::io;
use std::sync::Arc;
use std::thread;

use actix_web::rt::System;
use tenantry_ports::Ids as _;
use tenantry_security::SystemIds;
use tenantry_store_diesel::DatabaseUrl;
use tenantry_usecases::api_keys::{self, NewKeyError};
use tenantry_worker::{Deliverer, HeadSigner, Notifier, Worker};

use self::banner::OperatorKey;
use self::shutdown::{Signals, Workers};
use super::print;
use crate::cli::Role;
use crate::compose::{self, Installation, store_failure};
use crate::endpoints::lowered_guard;
use crate::failure::Failure;
use crate::operator_key;
use crate::settings::{Settings, failure, insecure};

/// Runs until a signal ends it.
pub(crate) fn serve(settings: &Settings, role: Role) -> Result<(), Failure> {
    if let Some(problem) = insecure(settings).filter(|_| role != Role::Worker) {
        return Err(failure(&[problem]));
    }
    System::new().block_on(run(settings, role))
}

async fn run(settings: &Settings, role: Role) -> Result<(), Failure> {
    // From here on a signal is not lost, however early it comes.
    let mut signals = Signals::listen()?;
    let installation = compose::open(settings)?;
    if let (Some(path), DatabaseUrl::Postgres(_)) = (&installation.new_key, &settings.stores.url) {
        tracing::warn!("A new secret key is in {}; replicas elsewhere need a copy of it", path.display());
    }
    let http = match role {
        Role::All | Role::Api => Some(http::Http::start(settings, &installation)?),
        Role::Worker => None,
    };
    let workers = match role {
        Role::All | Role::Worker => Some(start_workers(settings, &installation)?),
        Role::Api => None,
    };
    let heads = HeadSigner::start(&installation.platform, &installation.moved, settings.heads_interval)
        .map_err(no_threads)?;
    if let Some((setting, what)) = lowered_guard(settings) {
        tracing::warn!("{what}: {setting} is set");
    }
    // Last of all, so that a new key is never made and then not shown because something else went wrong.
    let key = operator_key(settings, &installation)?;
    print(&banner::banner(settings, http.as_ref().map(|http| http.address), &key))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), ?role, "Started");

    signals.next().await;
    tracing::info!("Stopping: what runs is finished first; a second signal ends it at once");
    signals.exit_on_next();
    shutdown::stop(http, workers, heads, settings.server.shutdown_timeout).await;
    tracing::info!("Stopped");
    Ok(())
}

/// The operator can be recognised from now on.
fn operator_key(settings: &Settings, installation: &Installation) -> Result<OperatorKey, Failure> {
    let platform = &installation.platform;
    if let Some(key) = &settings.operator_key {
        return operator_key::record(platform, key)
            .map(|()| OperatorKey::Given)
            .map_err(|error| store_failure(&error));
    }
    match api_keys::ensure_operator(platform) {
        Ok(Some(key)) => Ok(OperatorKey::New(key.expose().to_owned())),
        Ok(None) => Ok(OperatorKey::Known),
        Err(NewKeyError::Store(error)) => Err(store_failure(&error)),
        Err(error) => Err(Failure::new(error, "make one with `tenantry keys create --operator`")),
    }
}

fn start_workers(settings: &Settings, installation: &Installation) -> Result<Workers, Failure> {
    let stores = Arc::clone(&installation.stores);
    let prepare = move || {
        for (cluster, error) in stores.prepare() {
            tracing::warn!("Tenant databases on {cluster} could not be prepared for ahead of time: {error}");
        }
    };
    let Installation { platform, bell, notice_bells, delivery_bell, .. } = installation;
    let name = format!("{}-{}", std::process::id(), SystemIds.random().simple());
    // Nobody waits for this thread: it only saves the first tenant some time.
    thread::Builder::new()
        .name("prepare".to_owned())
        .spawn(prepare)
        .and_then(|_| {
            Ok(Workers {
                provisioning: Worker::start(platform, bell, &name, settings.provisioning.workers)?,
                notifying: Notifier::start(platform, notice_bells, &name)?,
                delivering: Deliverer::start(platform, delivery_bell)?,
            })
        })
        .map_err(no_threads)
}

fn no_threads(error: io::Error) -> Failure {
    Failure::new(format!("the worker cannot be started: {error}"), "allow this user more threads")
}
