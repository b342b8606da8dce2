//! What it costs to count a request for its tenant and its caller.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans};
use tenantry_http_actix::{Doors, HttpSettings, HttpState, Readiness, Watch};
use tenantry_security::ValicoCheck;
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::access::Principal;

/// As many as nobody sends, so that each is counted and none refused.
const MANY: u32 = 1_000_000_000;

struct Ready;

impl Readiness for Ready {
    fn checks(&self) -> Vec<(&'static str, bool)> {
        Vec::new()
    }
}

fn counting(criterion: &mut Criterion) {
    let limits = PlanLimits { allowance: Allowance::new(|_| Limit::AtMost(MANY.into())), burst: MANY };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    let platform = TestPlatform::with(policy, Arc::new(ValicoCheck)).platform;
    let tenant = sample::tenant("acme");
    platform.control.write(|tx| tx.tenants().insert(&tenant)).unwrap();
    let state = HttpState::new(
        platform,
        HttpSettings::default(),
        Doors::Open,
        Arc::<Watch>::default(),
        Arc::default(),
        Arc::new(Ready),
    )
    .unwrap();
    let caller = Principal::Machine { tenant: tenant.id, key: sample::id(), scopes: BTreeSet::new() };
    criterion.bench_function("a request is counted", |bencher| {
        bencher.iter(|| assert!(state.admits(black_box(&caller))));
    });
}

criterion_group!(benches, counting);
criterion_main!(benches);
