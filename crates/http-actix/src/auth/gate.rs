use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::sync::Cache;
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::AccessClaims;
use tenantry_usecases::Platform;
use tenantry_usecases::access::{self, Principal};
use tenantry_usecases::tenants::{self, TenantRef};

use super::Credential;
use crate::pools::PoolQueue;
use crate::problem::{Code, Problem};

/// For how long an answer may be used again. A revoked key, a session that ended and a suspended tenant are refused everywhere
/// after this long at the latest, so it stays below a second.
const MEMORY: Duration = Duration::from_millis(900);
/// How many answers are remembered, of each kind.
const CAPACITY: u64 = 10_000;

/// Finds callers and tenants, and remembers them for a moment, so that a busy caller costs no queries.
/// Only what exists is remembered: what was not found may be there the next instant.
pub(crate) struct Gate {
    platform: Arc<Platform>,
    storage: PoolQueue,
    /// By the SHA-256 of the key or token as it was presented: the text itself is not kept.
    callers: Cache<[u8; 32], Known<Principal>>,
    /// By what the caller calls the tenant.
    tenants: Cache<String, Known<Tenant>>,
}

/// An answer, which is as old as its question.
struct Known<T> {
    answer: Arc<T>,
    asked: Instant,
}

impl<T> Known<T> {
    fn fresh(self, age: Duration) -> Option<Arc<T>> {
        (self.asked.elapsed() < age.min(MEMORY)).then_some(self.answer)
    }
}

impl<T> Clone for Known<T> {
    fn clone(&self) -> Self {
        Self { answer: Arc::clone(&self.answer), asked: self.asked }
    }
}

impl Gate {
    /// A gate that remembers nothing yet.
    pub(crate) fn new(platform: Arc<Platform>, storage: PoolQueue) -> Self {
        let callers = Cache::builder().max_capacity(CAPACITY).time_to_live(MEMORY).build();
        let tenants = Cache::builder().max_capacity(CAPACITY).time_to_live(MEMORY).build();
        Self { platform, storage, callers, tenants }
    }

    /// Who presents this credential; a problem if it does not work. `anew`: a person is asked for anew, and not remembered, so
    /// that whoever was signed out a moment ago, on whichever replica, changes nothing any more.
    pub(crate) async fn principal(
        &self,
        credential: Credential<'_>,
        anew: bool,
    ) -> Result<Arc<Principal>, Problem> {
        self.find(credential, MEMORY, anew).await
    }

    /// The same, as it was so long ago at most; longer than everything is forgotten after is not possible.
    pub(crate) async fn principal_within(
        &self,
        credential: Credential<'_>,
        age: Duration,
    ) -> Result<Arc<Principal>, Problem> {
        self.find(credential, age, false).await
    }

    async fn find(
        &self,
        Credential(text): Credential<'_>,
        age: Duration,
        anew: bool,
    ) -> Result<Arc<Principal>, Problem> {
        let hash = self.platform.digest.sha256(text.as_bytes());
        let known = self.callers.get(&hash).and_then(|known| known.fresh(age));
        if let Some(known) = known.filter(|known| !(anew && matches!(**known, Principal::Person(_)))) {
            return Ok(known);
        }
        // What was made up costs no look-up.
        let found = if access::needs_look_up(&self.platform, text) {
            let asked = Instant::now();
            let (platform, text) = (Arc::clone(&self.platform), text.to_owned());
            let found = self.storage.run(move || access::authenticate(&platform, &text)).await??;
            found.map(|principal| {
                let answer = Arc::new(principal);
                self.callers.insert(hash, Known { answer: Arc::clone(&answer), asked });
                answer
            })
        } else {
            None
        };
        found.ok_or_else(|| {
            Problem::new(Code::InvalidToken, "The API key or access token is invalid or has expired")
        })
    }

    /// The tenant of this id or slug, if there is one.
    pub(crate) async fn tenant(&self, text: &str) -> Result<Option<Arc<Tenant>>, Problem> {
        self.tenant_within(text, MEMORY).await
    }

    /// The same, as it was so long ago at most.
    pub(crate) async fn tenant_within(
        &self,
        text: &str,
        age: Duration,
    ) -> Result<Option<Arc<Tenant>>, Problem> {
        if let Some(known) = self.tenants.get(text).and_then(|known| known.fresh(age)) {
            return Ok(Some(known));
        }
        self.tenant_anew(text).await
    }

    /// The same, asked for anew.
    pub(crate) async fn tenant_anew(&self, text: &str) -> Result<Option<Arc<Tenant>>, Problem> {
        let asked = Instant::now();
        let Ok(reference) = text.parse::<TenantRef>() else {
            return Ok(None);
        };
        let platform = Arc::clone(&self.platform);
        let found = self.storage.run(move || tenants::find(&platform, &reference)).await??;
        Ok(found.map(|tenant| {
            let answer = Arc::new(tenant);
            // One that is not in service yet may be so the next instant, and somebody is waiting for that.
            if answer.lifecycle.status() == Status::Active {
                self.tenants.insert(text.to_owned(), Known { answer: Arc::clone(&answer), asked });
            }
            answer
        }))
    }

    /// Forgets this tenant, so that a change of it takes effect here at once.
    pub(crate) fn forget_tenant(&self, changed: TenantId) {
        for (text, tenant) in &self.tenants {
            if tenant.answer.id == changed {
                self.tenants.invalidate(&*text);
            }
        }
    }

    /// Forgets who presented this key, or a token that was got with it, so that its revocation takes effect here at once.
    pub(crate) fn forget(&self, revoked: ApiKeyId) {
        self.forget_callers(|caller| match caller {
            Principal::Operator { key } => *key == Some(revoked),
            Principal::Machine { key, .. } => *key == revoked,
            Principal::Person(_) => false,
        });
    }

    /// Forgets these people, so that what changed about them or their sessions takes effect here at once.
    pub(crate) fn forget_people(&self, which: impl Fn(&AccessClaims) -> bool) {
        self.forget_callers(|caller| matches!(caller, Principal::Person(claims) if which(claims)));
    }

    fn forget_callers(&self, which: impl Fn(&Principal) -> bool) {
        for (hash, caller) in &self.callers {
            if which(&caller.answer) {
                self.callers.invalidate(&*hash);
            }
        }
    }
}
