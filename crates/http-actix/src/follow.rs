//! Following a tenant: to look, to wait until there may be something new, and to look again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::time::{sleep, timeout};
use actix_web::web::Data;
use tenantry_domain::id::TenantId;
use tenantry_ports::StoreResult;
use tenantry_usecases::Platform;

use crate::HttpState;
use crate::call::Call;
use crate::problem::{Code, Problem};
use crate::watch::Watching;

/// How often it is looked for what others did, at first; somebody may be waiting for a tenant that is being made.
const BRISK: Duration = Duration::from_millis(250);
/// For how long that is.
const AT_FIRST: Duration = Duration::from_secs(10);
/// How often after that; nobody has confirmed yet, or a server is down.
const CALM: Duration = Duration::from_secs(1);

/// Follows one tenant. No thread is held while it waits.
pub(crate) struct Follower {
    state: Data<HttpState>,
    tenant: TenantId,
    since: Instant,
    place: Option<Watching>,
}

/// Why a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// There may be something new.
    Over,
    /// The server stops: it is no time to wait any longer.
    Stopping,
}

impl Follower {
    /// Begins to follow. What changes from now on is not missed, so look afterwards.
    pub(crate) fn of(call: &Call, tenant: TenantId) -> Self {
        let place = call.state.watch.subscribe(tenant);
        Self { state: Data::clone(&call.state), tenant, since: Instant::now(), place }
    }

    /// Whether there was a place to wait.
    pub(crate) const fn may_wait(&self) -> bool {
        self.place.is_some()
    }

    /// Looks at the tenant on a storage thread. A busy moment shows nothing: it is no reason to give up.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        with: impl FnOnce(&Platform, TenantId) -> StoreResult<Option<T>> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        let (platform, tenant) = (Arc::clone(&self.state.platform), self.tenant);
        let seen = self.state.storage().run(move || with(&platform, tenant)).await;
        match seen.map_err(Problem::from).and_then(|seen| seen.map_err(Problem::from)) {
            Err(problem) if matches!(problem.code(), Code::Overloaded | Code::Unavailable) => Ok(None),
            seen => seen,
        }
    }

    /// Waits until this process changed the tenant, or another may have, but not beyond `end`.
    pub(crate) async fn pause(&mut self, end: Instant) -> Pause {
        let pace = if self.since.elapsed() < AT_FIRST { BRISK } else { CALM };
        let nap = pace.min(end.saturating_duration_since(Instant::now()));
        match &mut self.place {
            None => sleep(nap).await,
            Some(place) => {
                if let Ok(Err(_closed)) = timeout(nap, place.changed()).await {
                    self.place = None;
                    return Pause::Stopping;
                }
            }
        }
        Pause::Over
    }
}
