use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_domain::id::TenantId;
use tenantry_ports::Nudge;
use tenantry_usecases::{Platform, audit};

use crate::bell::Bell;

/// Whose logs (none: the platform's) this process may have moved since their heads were last signed. It is a [`Nudge`]: those who write are
/// the mark, so that tenants that are quiet cost nothing, however many there are.
#[derive(Debug, Default)]
pub struct MovedLogs(Mutex<HashSet<Option<TenantId>>>);

impl MovedLogs {
    fn take(&self) -> Vec<Option<TenantId>> {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *moved).into_iter().collect()
    }

    fn put_back(&self, owners: Vec<Option<TenantId>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(owners);
    }
}

impl Nudge for MovedLogs {
    fn runs_are_due(&self) {}

    fn log_moved(&self, tenant: TenantId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Some(tenant));
    }

    fn platform_log_moved(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(None);
    }
}

/// A thread that signs from time to time how far the event logs have come that this process wrote to.
#[derive(Debug)]
pub struct HeadSigner {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl HeadSigner {
    /// Starts the thread. `moved` is what the platform's `Nudge` tells.
    pub fn start(
        platform: &Arc<Platform>,
        moved: &Arc<MovedLogs>,
        period: Duration,
    ) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (platform, moved, closed) = (Arc::clone(platform), Arc::clone(moved), Arc::clone(&bell));
        let work = move || sign(&platform, &moved, &closed, period);
        let thread = thread::Builder::new().name("log-heads".to_owned()).spawn(work)?;
        Ok(Self { bell, thread })
    }

    /// Has it sign what there is left, and waits for that.
    pub fn stop(self) {
        self.bell.close();
        // What it panicked with was logged when it did.
        let _ = self.thread.join();
    }
}

fn sign(platform: &Platform, moved: &MovedLogs, bell: &Bell, period: Duration) {
    loop {
        let woken = bell.wait(Some(period));
        let owners = moved.take();
        match catch_unwind(AssertUnwindSafe(|| audit::sign_moved(platform, &owners))) {
            Ok(Ok(statements)) => {
                for statement in statements {
                    // The log goes where this installation's databases are out of reach, and their owners as well.
                    tracing::info!(
                        target: "tenantry::audit",
                        tenant = statement.0.tenant.map(tracing::field::display),
                        sequence = statement.0.head.sequence,
                        %statement,
                        "Signed how far an event log has come"
                    );
                }
            }
            Ok(Err(error)) => {
                tracing::error!("For now, the heads of event logs cannot be signed: {error}");
                moved.put_back(owners);
            }
            Err(_) => {
                tracing::error!("For now, the heads of event logs cannot be signed: it panicked");
                moved.put_back(owners);
            }
        }
        if woken.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::tenant::{Plan, Slug, TenantName};
    use tenantry_ports::TenantScope;
    use tenantry_testkit::{TestPlatform, sample};
    use tenantry_usecases::provisioning::{Worked, work_once};
    use tenantry_usecases::tenants::{self, InitTenant, TenantRef};

    use super::*;

    #[test]
    fn what_was_written_before_it_stops_is_signed_once() {
        let test = TestPlatform::new();
        let moved = Arc::<MovedLogs>::default();
        test.nudge_also(Arc::clone(&moved) as _);
        let wish = InitTenant {
            name: TenantName::new("Acme").unwrap(),
            slug: Slug::new("acme").unwrap(),
            plan: Plan::Basic,
            contact_email: None,
            cluster: None,
        };
        let announced = tenants::init(&test.platform, wish).unwrap();
        tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
        while work_once(&test.platform, "worker").unwrap() != Worked::Idle {}
        let tenant = tenants::find(&test.platform, &TenantRef::Id(announced.tenant)).unwrap().unwrap();
        let scope = TenantScope::serving(&tenant).unwrap();
        let store = test.platform.stores.open(&scope).unwrap();
        let write = || {
            store.write(|tx| {
                let head = tx.log().lock()?;
                tx.log().append(&sample::log_entries(tenant.id, head, 3))
            })
        };
        write().unwrap();
        let head = store.read(|tx| tx.log().head()).unwrap();
        let kept = || test.platform.control.read(|tx| tx.heads().of(Some(tenant.id))).unwrap();
        for _ in 0..2 {
            HeadSigner::start(&test.platform, &moved, Duration::from_secs(3600)).unwrap().stop();
            assert_eq!(kept().iter().map(|signed| signed.head).collect::<Vec<_>>(), [head]);
            moved.log_moved(tenant.id);
        }
    }
}
