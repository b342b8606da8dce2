//! How much is taken from one tenant, and from each of its callers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tenantry_domain::id::{ApiKeyId, TenantId, UserId};
use tenantry_domain::tenant::{Allowance, Limit, Plan, PlanLimits, Plans, QuotaKind};
use tenantry_ports::{Replica, TenantScope};
use tenantry_usecases::access::Principal;
use tenantry_usecases::tenants::{self, TenantRef};
use tenantry_usecases::{Platform, limits};

use super::bucket::{Bucket, Share, Standing};
use super::fleet::{self, Demand};
use super::{Buckets, RateLimit, Ticks, fields};
use crate::problem::Problem;

/// For how long what was agreed on with a tenant is remembered.
const MEMORY: Duration = Duration::from_secs(5);
/// Of how many tenants; whose callers have not come for longest finds a full bucket when they do.
const CAPACITY: u64 = 65_536;
/// A tenant of which a process lets in less than this part of an even share is not worth telling of.
const SLIGHT: u32 = 20;

/// Whoever calls for a tenant: a key or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Caller {
    Key(ApiKeyId),
    Person(UserId),
}

/// What is counted by tenant and by caller. The operator is not counted.
pub(crate) struct TenantRates {
    tenants: Cache<TenantId, Arc<Counted>>,
    callers: Buckets<Caller>,
    /// Which part of its tenant's rate one caller may have, in percent; 100: all of it, and it is not counted.
    caller_percent: u8,
    ticks: Ticks,
    replicas: AtomicU32,
    announced: Mutex<Duration>,
    /// When the shares were last known to be as the others take them to be; none as long as the others were told nothing.
    shared: Mutex<Option<Duration>>,
    /// After how long without a word from here the others take over what is this process's.
    silence: Duration,
}

/// What is known of a tenant.
struct Counted {
    bucket: Bucket,
    agreed: Mutex<Option<Agreed>>,
    share: Mutex<Share>,
    /// Since the others were last told.
    let_in: AtomicU32,
}

/// A limit as it was at some time.
#[derive(Debug, Clone, Copy)]
struct Agreed {
    limit: RateLimit,
    asked: Duration,
}

/// How a caller and their tenant stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standings {
    pub(crate) tenant: (RateLimit, Standing),
    pub(crate) caller: Option<(RateLimit, Standing)>,
}

/// Whose limit was too low for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Tenant,
    Caller,
}

impl Exhausted {
    /// What the caller is told.
    pub(crate) fn problem(self, standings: Standings) -> Problem {
        fields::refuse_caller(self, standings)
    }
}

/// What came of counting a request.
pub(crate) type Counting = Result<Standings, (Exhausted, Standings)>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TenantRates {
    pub(crate) fn new(caller_percent: u8, ticks: Ticks) -> Self {
        Self {
            tenants: Cache::builder().max_capacity(CAPACITY).build(),
            callers: Buckets::new(ticks.clone()),
            caller_percent: caller_percent.clamp(1, 100),
            announced: Mutex::new(ticks.now()),
            shared: Mutex::new(None),
            silence: limits::SILENCE.to_std().unwrap_or_default(),
            ticks,
            replicas: AtomicU32::new(1),
        }
    }

    /// The tenant whose limit has to be [asked for](Self::agree) before this caller is counted, if there is one. While one
    /// caller asks again, the others are counted by what was agreed on before.
    pub(crate) fn unknown(&self, caller: &Principal) -> Option<TenantId> {
        let tenant = caller.tenant()?;
        let counted = self.counted(tenant);
        let mut agreed = lock(&counted.agreed);
        let Some(agreed) = agreed.as_mut() else { return Some(tenant) };
        let now = self.ticks.now();
        let old = now.saturating_sub(agreed.asked) >= MEMORY;
        if old {
            agreed.asked = now;
        }
        old.then_some(tenant)
    }

    /// Asks for a tenant's limit, and remembers it. Where its database does not answer, what was agreed on before counts, or
    /// else what its plan says: the request is to have an answer that says more.
    pub(crate) fn agree(&self, platform: &Platform, id: TenantId) {
        let asked = self.ticks.now();
        let counted = self.counted(id);
        let found = tenants::find(platform, &TenantRef::Id(id)).ok().flatten();
        let Some(tenant) = found else { return };
        let plans = &platform.policy.plans;
        let stored = match TenantScope::maintenance(&tenant) {
            Ok(scope) => limits::stored_allowance(platform, &scope).ok(),
            Err(_) => Some(plans.of(tenant.plan).allowance),
        };
        let mut agreed = lock(&counted.agreed);
        let limit = match (stored, agreed.as_ref()) {
            (None, Some(before)) => before.limit,
            (stored, _) => rate(plans, tenant.plan, &stored.unwrap_or(plans.of(tenant.plan).allowance)),
        };
        *agreed = Some(Agreed { limit, asked });
    }

    /// Has a tenant's limit be asked for with the next request, since it was changed here.
    pub(crate) fn forget(&self, tenant: TenantId) {
        if let Some(counted) = self.tenants.get(&tenant) {
            *lock(&counted.agreed) = None;
        }
    }

    /// Counts a request. None if it is not: the operator's, and those of tenants without a limit.
    pub(crate) fn count(&self, caller: &Principal) -> Option<Counting> {
        let counted = self.counted(caller.tenant()?);
        let limit = lock(&counted.agreed).as_ref().map(|agreed| agreed.limit)?;
        if limit.is_none() {
            return None;
        }
        let now = self.ticks.now();
        let share = self.share_of(&counted, now);
        let own = match caller {
            Principal::Machine { key, .. } => Some(Caller::Key(*key)),
            Principal::Person(claims) => Some(Caller::Person(claims.user)),
            Principal::Operator { .. } => None,
        };
        let own = own.filter(|_| self.caller_percent < 100).map(|own| (own, self.part_of(limit)));
        let taken = own.map(|(own, limit)| (limit, self.callers.take_part(&own, limit, share)));
        if let Some((own_limit, Err(standing))) = taken {
            let tenant = (limit, counted.bucket.look(limit, share, now));
            let standings = Standings { tenant, caller: Some((own_limit, standing)) };
            return Some(Err((Exhausted::Caller, standings)));
        }
        let of_caller = taken.map(|(limit, Ok(standing) | Err(standing))| (limit, standing));
        Some(match counted.bucket.take(limit, share, now) {
            Ok(standing) => {
                counted.let_in.fetch_add(1, Ordering::Relaxed);
                Ok(Standings { tenant: (limit, standing), caller: of_caller })
            }
            Err(standing) => {
                if let Some((own, _)) = own {
                    self.callers.give_back(&own);
                }
                Err((Exhausted::Tenant, Standings { tenant: (limit, standing), caller: of_caller }))
            }
        })
    }

    /// How many requests of those that may come at once have come, and in how long none of them counts any more. None where
    /// there is no limit.
    pub(crate) fn standing(&self, tenant: TenantId) -> Option<(u32, Duration)> {
        let counted = self.tenants.get(&tenant)?;
        let limit = lock(&counted.agreed).as_ref()?.limit;
        if limit.is_none() {
            return None;
        }
        let now = self.ticks.now();
        let share = self.share_of(&counted, now);
        let Standing { remaining, reset } = counted.bucket.look(limit, share, now);
        let most = u64::from(limit.burst) * u64::from(share.burst) / u64::from(Share::WHOLE);
        Some((u32::try_from(most).unwrap_or(u32::MAX).saturating_sub(remaining), reset))
    }

    /// How many requests a minute this process let in since it was last asked, of the tenants that sent more than a few.
    pub(crate) fn let_in(&self) -> BTreeMap<TenantId, u32> {
        let now = self.ticks.now();
        let since = std::mem::replace(&mut *lock(&self.announced), now);
        let passed = now.saturating_sub(since).as_millis().max(1);
        let replicas = self.replicas.load(Ordering::Relaxed);
        let rates = self.tenants.iter().filter_map(|(id, counted)| {
            let count = counted.let_in.swap(0, Ordering::Relaxed);
            let rate = u32::try_from(u128::from(count) * 60_000 / passed).unwrap_or(u32::MAX);
            let limit = lock(&counted.agreed).as_ref()?.limit.per_minute;
            (rate > limit / replicas.max(1) / SLIGHT).then_some((*id, rate))
        });
        rates.collect()
    }

    /// Takes of every rate the part that is this process's, given what it told and what the others did.
    pub(crate) fn share_with(&self, own: &BTreeMap<TenantId, u32>, others: &[Replica]) {
        let replicas = u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.replicas.store(replicas, Ordering::Relaxed);
        for (id, counted) in &self.tenants {
            let Some(agreed) = *lock(&counted.agreed) else { continue };
            let demand = Demand {
                rate: agreed.limit.per_minute,
                own: own.get(&id).copied().unwrap_or_default(),
                others: others.iter().filter_map(|other| other.rates.get(&id)).copied().map(u64::from).sum(),
            };
            *lock(&counted.share) = fleet::share(replicas, demand);
        }
        self.keep_shares();
    }

    /// Keeps the shares as they are for a while: they are as the others took them to be when these were last
    /// [to be told](Self::let_in) something.
    pub(crate) fn keep_shares(&self) {
        *lock(&self.shared) = Some(*lock(&self.announced));
    }

    /// This process's part of a tenant's rate. Found out with every request, since whoever does not get an answer cannot know
    /// in time that there is none.
    fn share_of(&self, counted: &Counted, now: Duration) -> Share {
        let share = *lock(&counted.share);
        let silent = lock(&self.shared).is_some_and(|shared| now.saturating_sub(shared) >= self.silence);
        if !silent {
            return share;
        }
        let cut_off = fleet::cut_off(self.replicas.load(Ordering::Relaxed));
        Share { rate: share.rate.min(cut_off.rate), burst: share.burst.min(cut_off.burst) }
    }

    fn counted(&self, tenant: TenantId) -> Arc<Counted> {
        self.tenants.get_with_by_ref(&tenant, || {
            Arc::new(Counted {
                bucket: Bucket::full(),
                agreed: Mutex::new(None),
                share: Mutex::new(fleet::even(self.replicas.load(Ordering::Relaxed))),
                let_in: AtomicU32::new(0),
            })
        })
    }

    fn part_of(&self, limit: RateLimit) -> RateLimit {
        let part = |number: u32| {
            let part = u64::from(number) * u64::from(self.caller_percent) / 100;
            u32::try_from(part).unwrap_or(u32::MAX).max(1)
        };
        RateLimit { per_minute: part(limit.per_minute), burst: part(limit.burst) }
    }
}

/// A tenant's rate; what is taken at once goes with it.
fn rate(plans: &Plans, plan: Plan, agreed: &Allowance) -> RateLimit {
    let PlanLimits { allowance, burst } = plans.of(plan);
    let number = |limit: Limit| limit.number().map(|number| u32::try_from(number.max(1)).unwrap_or(u32::MAX));
    match (number(agreed.of(QuotaKind::Requests)), number(allowance.of(QuotaKind::Requests))) {
        (None, _) => RateLimit::NONE,
        (Some(per_minute), None) => RateLimit { per_minute, burst: (*burst).min(per_minute) },
        (Some(per_minute), Some(usual)) => {
            let burst = u64::from(*burst) * u64::from(per_minute) / u64::from(usual);
            RateLimit { per_minute, burst: u32::try_from(burst).unwrap_or(u32::MAX).max(1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_at_once_goes_with_the_rate() {
        let plans = |usual| {
            let allowance = Allowance::new(|_| usual);
            Plans::new(|_| PlanLimits { allowance, burst: 30 })
        };
        for (usual, agreed, expected) in [
            (Limit::AtMost(600), Limit::AtMost(600), RateLimit { per_minute: 600, burst: 30 }),
            (Limit::AtMost(600), Limit::AtMost(1200), RateLimit { per_minute: 1200, burst: 60 }),
            (Limit::AtMost(600), Limit::AtMost(1), RateLimit { per_minute: 1, burst: 1 }),
            (Limit::AtMost(600), Limit::Unlimited, RateLimit::NONE),
            (Limit::Unlimited, Limit::AtMost(100), RateLimit { per_minute: 100, burst: 30 }),
            (Limit::Unlimited, Limit::AtMost(10), RateLimit { per_minute: 10, burst: 10 }),
        ] {
            assert_eq!(rate(&plans(usual), Plan::Basic, &Allowance::new(|_| agreed)), expected);
        }
    }
}
