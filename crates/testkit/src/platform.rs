use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_ports::{Nudge, SchemaCheck};
use tenantry_usecases::{Platform, Policy};

use crate::{
    FailingDatabases, FakeClock, FakeDigest, FakeKeys, FakePasswords, FakeSchemaCheck, FakeTokens,
    MemoryWorld, SeededEntropy, SequentialIds,
};

/// A whole platform in memory, with a hold on what a test wants to turn or look at.
pub struct TestPlatform {
    /// For the use cases.
    pub platform: Arc<Platform>,
    /// What is stored, and which databases exist.
    pub world: MemoryWorld,
    /// The platform's clock.
    pub clock: Arc<FakeClock>,
    /// The platform's tenant databases, which fail when told to.
    pub databases: FailingDatabases,
    nudges: Arc<Nudges>,
}

#[derive(Debug, Default)]
struct Nudges(AtomicUsize);

impl Nudge for Nudges {
    fn runs_are_due(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl TestPlatform {
    /// An empty platform that takes every account config for valid in form.
    pub fn new() -> Self {
        Self::with(Policy::default(), Arc::new(FakeSchemaCheck::content()))
    }

    /// An empty platform with this policy and schema check.
    pub fn with(policy: Policy, schemas: Arc<dyn SchemaCheck>) -> Self {
        let world = MemoryWorld::new();
        let clock = Arc::new(FakeClock::new());
        let databases = FailingDatabases::new(world.databases(), world.stores());
        let nudges = Arc::<Nudges>::default();
        let platform = Arc::new(Platform {
            control: world.control(),
            stores: Arc::new(databases.clone()),
            databases: Arc::new(databases.clone()),
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::new()),
            entropy: Arc::new(SeededEntropy::new(7)),
            digest: Arc::new(FakeDigest),
            tokens: Arc::new(FakeTokens::new()),
            passwords: Arc::new(FakePasswords::new()),
            keys: Arc::new(FakeKeys::new()),
            schemas,
            nudge: nudges.clone(),
            policy,
            configs: tenantry_usecases::configs::ConfigCache::default(),
        });
        Self { platform, world, clock, databases, nudges }
    }

    /// How often a worker was nudged.
    pub fn nudges(&self) -> usize {
        self.nudges.0.load(Ordering::SeqCst)
    }
}

impl Default for TestPlatform {
    fn default() -> Self {
        Self::new()
    }
}
