use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::people::PasswordPolicy;
use tenantry_domain::tenant::{DatabasePrefix, Plans, RetryPolicy};
use tenantry_ports::{
    Clock, ControlStore, Digest, Entropy, Ids, KeyMint, MachineTokens, Macs, Nudge, PasswordHasher,
    SchemaCheck, Sealing, TenantDatabases, TenantStores, Tokens,
};

use crate::api_keys::KeyUses;
use crate::configs::ConfigCache;
use crate::days::NotedLooks;
use crate::endpoints::EndpointCalls;
use crate::master_keys::MasterKeyNames;
use crate::notices::Channels;
use crate::signing_keys::Keyring;
use crate::tenants::Placement;

/// Everything the use cases stand on: one implementation of each port, and what the operator decided.
#[allow(missing_docs, reason = "each member is the port its type names")]
pub struct Platform {
    pub control: Arc<dyn ControlStore>,
    pub stores: Arc<dyn TenantStores>,
    pub databases: Arc<dyn TenantDatabases>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub entropy: Arc<dyn Entropy>,
    pub digest: Arc<dyn Digest>,
    pub tokens: Arc<dyn Tokens>,
    pub macs: Arc<dyn Macs>,
    pub sealing: Arc<dyn Sealing>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub keys: Arc<dyn KeyMint>,
    pub machine_tokens: Arc<dyn MachineTokens>,
    pub schemas: Arc<dyn SchemaCheck>,
    pub nudge: Arc<dyn Nudge>,
    /// How the outside is told.
    pub channels: Channels,
    /// How tenants' endpoints are called.
    pub endpoints: EndpointCalls,
    pub policy: Policy,
    /// Account configs parsed before; begin with an empty one.
    pub configs: ConfigCache,
    /// API keys that were used; begin with none.
    pub key_uses: KeyUses,
    /// Signing keys read before; begin with none.
    pub keyring: Keyring,
    /// When tenants' accounts are looked at, as far as it was noted here; begin with nothing.
    pub looks: NotedLooks,
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What tenant databases' names begin with.
    pub database_prefix: DatabasePrefix,
    /// What passwords have to be like.
    pub passwords: PasswordPolicy,
    /// How long an access token works.
    pub access_token_ttl: TimeDelta,
    /// The URL that the API is reached under, without a slash at its end: issuer and audience of machines' tokens. Replicas
    /// have the same.
    pub public_url: String,
    /// How long a machine's access token works, at most [`LONGEST_TOKEN`](crate::machine_tokens::LONGEST_TOKEN).
    pub machine_token_ttl: TimeDelta,
    /// The names of the master key in force and of those before it.
    pub master_keys: MasterKeyNames,
    /// How long a refresh token works.
    pub refresh_token_ttl: TimeDelta,
    /// For how long after its exchange a refresh token gets its successor once more.
    pub refresh_grace: TimeDelta,
    /// How long a sign-in lasts, however much it is used.
    pub session_lifetime: TimeDelta,
    /// Whether whoever registers a user is given an access token for them.
    pub register_returns_token: bool,
    /// When a failed provisioning step is tried again.
    pub retry: RetryPolicy,
    /// How long a worker may be silent before another one takes its run over.
    pub lease: TimeDelta,
    /// How long a tenant that was told to go can be taken back.
    pub deprovision_grace: TimeDelta,
    /// On which servers tenants' databases are made.
    pub placement: Placement,
    /// How many databases are kept ready for tenants to come, on each of those servers.
    pub pool_size: usize,
    /// How much tenants may have, by what they pay for.
    pub plans: Plans,
    /// How long a first answer is kept for repeated requests.
    pub idempotency_retention: TimeDelta,
    /// How long events are kept in tenants' logs; for ever if it does not say. Longer than webhooks are tried again.
    pub event_retention: Option<TimeDelta>,
    /// How long it is remembered what was delivered to webhook endpoints. Longer than it is tried.
    pub delivery_retention: TimeDelta,
    /// How much later than a trading day's end its last trades and prices may come: days begin for accounts on their own when
    /// this has passed.
    pub day_grace: TimeDelta,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            database_prefix: DatabasePrefix::default(),
            passwords: PasswordPolicy::default(),
            access_token_ttl: TimeDelta::minutes(10),
            public_url: "http://127.0.0.1:5000".to_owned(),
            machine_token_ttl: TimeDelta::minutes(10),
            master_keys: MasterKeyNames::default(),
            refresh_token_ttl: TimeDelta::days(30),
            refresh_grace: TimeDelta::seconds(10),
            session_lifetime: TimeDelta::days(90),
            register_returns_token: true,
            retry: RetryPolicy::default(),
            lease: TimeDelta::seconds(10),
            deprovision_grace: TimeDelta::days(7),
            placement: Placement::default(),
            pool_size: 0,
            plans: Plans::UNLIMITED,
            idempotency_retention: TimeDelta::hours(24),
            event_retention: None,
            delivery_retention: TimeDelta::days(30),
            day_grace: TimeDelta::minutes(1),
        }
    }
}
