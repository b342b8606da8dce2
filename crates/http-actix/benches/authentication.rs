//! What it costs to find out who is calling, once they are remembered and where they are not.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_http_actix::{Doors, HttpSettings, HttpState, Readiness, Watch};
use tenantry_ports::{Scope, Secret, SigningKey};
use tenantry_security::{
    ApiKeyMint, Es256Tokens, MasterKey, SealingBox, Sha256Digest, SystemClock, SystemEntropy, SystemIds,
    ValicoCheck,
};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::api_keys::{NewKey, create};
use tenantry_usecases::{Platform, Policy, access, machine_tokens, signing_keys};

struct Ready;

impl Readiness for Ready {
    fn checks(&self) -> Vec<(&'static str, bool)> {
        Vec::new()
    }
}

/// A platform in memory with real keys, tokens, clock and digest.
fn platform() -> Arc<Platform> {
    let entropy = Arc::new(SystemEntropy);
    let tokens = Es256Tokens::new(SealingBox::new(&MasterKey::generate(&*entropy), entropy.clone()));
    let test = TestPlatform::issuing(Policy::default(), Arc::new(ValicoCheck), Arc::new(tokens));
    let mut platform = Arc::into_inner(test.platform).unwrap();
    platform.clock = Arc::new(SystemClock);
    platform.ids = Arc::new(SystemIds);
    platform.digest = Arc::new(Sha256Digest);
    platform.keys = Arc::new(ApiKeyMint::new(entropy));
    signing_keys::ensure(&platform).unwrap();
    Arc::new(platform)
}

/// A key of a tenant, and a token that was got for it.
fn credentials(platform: &Platform) -> [(&'static str, Secret); 2] {
    let tenant = sample::tenant("acme");
    platform.control.write(|tx| tx.tenants().insert(&tenant)).unwrap();
    let wish = NewKey {
        owner: Some(tenant.id),
        name: "benchmark".to_owned(),
        scopes: BTreeSet::from(Scope::ALL),
        expires_at: None,
        created_by: "benchmark".to_owned(),
    };
    let (record, key) = create(platform, wish).unwrap();
    let client = access::authenticate(platform, key.expose()).unwrap().unwrap();
    let issued = machine_tokens::issue(platform, &client, record.id, None).unwrap();
    [("key", key), ("token", issued.token)]
}

fn authentication(criterion: &mut Criterion) {
    let platform = platform();
    let credentials = credentials(&platform);
    let state = HttpState::new(
        Arc::clone(&platform),
        HttpSettings::default(),
        Doors::Open,
        Arc::<Watch>::default(),
        Arc::default(),
        Arc::new(Ready),
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (kind, credential) in &credentials {
        let credential = credential.expose();
        // As on a busy server: once in most of a second it is looked up, on another thread, and then remembered.
        criterion.bench_function(&format!("a remembered {kind}"), |bencher| {
            bencher.iter_custom(|times| {
                let (mut spent, mut left) = (Duration::ZERO, times);
                while left > 0 {
                    assert!(runtime.block_on(state.recognises(credential)));
                    let asked = Instant::now();
                    while left > 0 && asked.elapsed() < Duration::from_millis(500) {
                        let some = left.min(1_000);
                        let begin = Instant::now();
                        runtime.block_on(async {
                            for _ in 0..some {
                                black_box(state.recognises(black_box(credential)).await);
                            }
                        });
                        spent += begin.elapsed();
                        left -= some;
                    }
                }
                spent
            });
        });
        criterion.bench_function(&format!("a {kind} that is looked up"), |bencher| {
            bencher.iter(|| access::authenticate(&platform, black_box(credential)).unwrap().unwrap());
        });
    }
    let keys: Vec<SigningKey> = signing_keys::list(&platform).unwrap();
    let (issuer, token) = (&platform.policy.public_url, credentials[1].1.expose());
    criterion.bench_function("a token's signature and claims", |bencher| {
        bencher.iter(|| {
            let now = platform.clock.now();
            platform.machine_tokens.check(&keys[0], issuer, black_box(token), now).unwrap()
        });
    });
}

criterion_group!(benches, authentication);
criterion_main!(benches);
