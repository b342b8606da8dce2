use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tenantry_domain::id::TenantId;
use tenantry_ports::{
    ControlStore, Hired, MachineTokens, Nudge, SchemaCheck, Secret, TenantDatabases, TenantStores,
};
use tenantry_usecases::endpoints::EndpointCalls;
use tenantry_usecases::notices::{Channels, MailChannel, WebhookChannel};
use tenantry_usecases::webhooks::Marking;
use tenantry_usecases::{Platform, Policy};

use crate::{
    FailingDatabases, FakeClock, FakeDigest, FakeEndpoints, FakeKeys, FakeMachineTokens, FakeMacs,
    FakeMailer, FakePasswords, FakeSchemaCheck, FakeSealing, FakeSigner, FakeTokens, FakeWebhookSecrets,
    FakeWebhooks, MemoryWorld, SeededEntropy, SequentialIds,
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
    /// What mails were sent, if the platform sends any.
    pub mailer: Arc<FakeMailer>,
    /// What calls were made, if the platform makes any.
    pub webhooks: Arc<FakeWebhooks>,
    /// What calls of tenants' endpoints were made.
    pub endpoints: Arc<FakeEndpoints>,
    nudges: Arc<Nudges>,
}

#[derive(Default)]
struct Nudges {
    runs: AtomicUsize,
    beside: OnceLock<Arc<dyn Nudge>>,
}

impl Nudge for Nudges {
    fn runs_are_due(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if let Some(nudge) = self.beside.get() {
            nudge.runs_are_due();
        }
    }

    fn notices_are_due(&self) {
        if let Some(nudge) = self.beside.get() {
            nudge.notices_are_due();
        }
    }

    fn tenant_changed(&self, tenant: TenantId) {
        if let Some(nudge) = self.beside.get() {
            nudge.tenant_changed(tenant);
        }
    }

    fn log_moved(&self, tenant: TenantId) {
        if let Some(nudge) = self.beside.get() {
            nudge.log_moved(tenant);
        }
    }

    fn platform_log_moved(&self) {
        if let Some(nudge) = self.beside.get() {
            nudge.platform_log_moved();
        }
    }

    fn hire(&self) -> Option<Box<dyn Hired>> {
        self.beside.get().and_then(|nudge| nudge.hire())
    }
}

impl TestPlatform {
    /// An empty platform that takes every account config for valid in form.
    pub fn new() -> Self {
        Self::with(Policy::default(), Arc::new(FakeSchemaCheck::content()))
    }

    /// An empty platform that sends mails and calls a webhook.
    pub fn telling() -> Self {
        Self::telling_with(Policy::default())
    }

    /// The same with this policy.
    pub fn telling_with(policy: Policy) -> Self {
        Self::build(policy, Arc::new(FakeSchemaCheck::content()), Arc::new(FakeMachineTokens::new()), true)
    }

    /// An empty platform with this policy and schema check.
    pub fn with(policy: Policy, schemas: Arc<dyn SchemaCheck>) -> Self {
        Self::issuing(policy, schemas, Arc::new(FakeMachineTokens::new()))
    }

    /// The same, where machines' tokens are these.
    pub fn issuing(
        policy: Policy,
        schemas: Arc<dyn SchemaCheck>,
        machine_tokens: Arc<dyn MachineTokens>,
    ) -> Self {
        Self::build(policy, schemas, machine_tokens, false)
    }

    fn build(
        policy: Policy,
        schemas: Arc<dyn SchemaCheck>,
        machine_tokens: Arc<dyn MachineTokens>,
        telling: bool,
    ) -> Self {
        let world = MemoryWorld::new();
        let clock = Arc::new(FakeClock::new());
        let databases = FailingDatabases::new(world.databases(), world.stores());
        let nudges = Arc::<Nudges>::default();
        let (mailer, webhooks) = (Arc::<FakeMailer>::default(), Arc::<FakeWebhooks>::default());
        let endpoints = Arc::<FakeEndpoints>::default();
        let channels = if telling { channels(&mailer, &webhooks) } else { Channels::default() };
        let base = platform_over(world.control(), Arc::new(databases.clone()), Arc::new(databases.clone()));
        let marking =
            Marking::new(Arc::new(databases.clone()), world.control(), clock.clone(), nudges.clone());
        let platform = Arc::new(Platform {
            stores: Arc::new(marking),
            clock: clock.clone(),
            machine_tokens,
            schemas,
            nudge: nudges.clone(),
            channels,
            endpoints: EndpointCalls { sender: endpoints.clone(), ..base.endpoints },
            policy,
            ..base
        });
        Self { platform, world, clock, databases, mailer, webhooks, endpoints, nudges }
    }

    /// How often a worker was nudged.
    pub fn nudges(&self) -> usize {
        self.nudges.runs.load(Ordering::SeqCst)
    }

    /// Has the platform nudge this, too; the first one it is asked for.
    pub fn nudge_also(&self, nudge: Arc<dyn Nudge>) {
        let _ = self.nudges.beside.set(nudge);
    }
}

/// A platform over these stores whose other ports are fakes: it takes every account config for valid in form, its clock stands
/// still, and nobody is nudged.
pub fn platform_over(
    control: Arc<dyn ControlStore>,
    stores: Arc<dyn TenantStores>,
    databases: Arc<dyn TenantDatabases>,
) -> Platform {
    Platform {
        control,
        stores,
        databases,
        clock: Arc::new(FakeClock::new()),
        ids: Arc::new(SequentialIds::new()),
        entropy: Arc::new(SeededEntropy::new(7)),
        digest: Arc::new(FakeDigest),
        tokens: Arc::new(FakeTokens::new()),
        macs: Arc::new(FakeMacs),
        sealing: Arc::new(FakeSealing::default()),
        passwords: Arc::new(FakePasswords::new()),
        keys: Arc::new(FakeKeys::new()),
        machine_tokens: Arc::new(FakeMachineTokens::new()),
        schemas: Arc::new(FakeSchemaCheck::content()),
        nudge: Arc::<Nudges>::default(),
        channels: Channels::default(),
        endpoints: EndpointCalls {
            sender: Arc::<FakeEndpoints>::default(),
            signer: Arc::new(FakeSigner),
            secrets: Arc::<FakeWebhookSecrets>::default(),
            timeout: Duration::from_secs(15),
        },
        policy: Policy::default(),
        configs: tenantry_usecases::configs::ConfigCache::default(),
        key_uses: tenantry_usecases::api_keys::KeyUses::default(),
        keyring: tenantry_usecases::signing_keys::Keyring::default(),
        looks: tenantry_usecases::days::NotedLooks::default(),
    }
}

fn channels(mailer: &Arc<FakeMailer>, webhooks: &Arc<FakeWebhooks>) -> Channels {
    Channels {
        mail: Some(MailChannel {
            mailer: mailer.clone(),
            link: Some("https://console.example/{slug}".to_owned()),
            timeout: Duration::from_secs(30),
            longest_wait: Duration::from_secs(24 * 60 * 60),
        }),
        webhook: Some(WebhookChannel {
            sender: webhooks.clone(),
            signer: Arc::new(FakeSigner),
            url: "https://operator.example/hooks".to_owned(),
            secrets: vec![Secret::new("new"), Secret::new("old")],
            timeout: Duration::from_secs(15),
            longest_wait: Duration::from_secs(24 * 60 * 60),
        }),
    }
}

impl Default for TestPlatform {
    fn default() -> Self {
        Self::new()
    }
}
