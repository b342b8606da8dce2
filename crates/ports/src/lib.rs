#![doc = include_str!("../README.md")]

mod ambient;
mod api_keys;
mod basis;
mod carryover;
mod control;
mod databases;
mod days;
mod endpoints;
mod error;
mod floor;
mod heads;
mod log;
mod machine_tokens;
mod macs;
mod mappings;
mod nonces;
mod notices;
mod organisation;
mod outbound;
mod people;
mod pool;
mod records;
mod replicas;
mod scope;
mod sealing;
mod security;
mod signing_keys;
mod tenant;
mod trades;
mod upkeep;
mod webhooks;
mod work;

pub use ambient::{Assignment, Clock, Entropy, Hired, Ids, Nudge};
pub use api_keys::ApiKeyRepository;
pub use basis::{BasisRepository, ConfigurationVersion};
pub use carryover::{Carryover, CarryoverRepository};
pub use control::{
    Claim, ControlStore, ControlTx, Lease, OpenRun, RunRepository, TenantFilter, TenantRepository, Unreadable,
};
pub use databases::{
    DatabaseError, DatabaseFault, FoundDatabase, Inventory, Permit, Presence, TenantDatabases,
};
pub use days::{DayLook, DayRepository};
pub use endpoints::{
    EndpointAnswer, EndpointCall, EndpointFailure, EndpointResponse, EndpointSender, EndpointUrl,
    FailureClass,
};
pub use error::{Constraint, StoreError, StoreResult};
pub use floor::{FloorRepository, LogFloor, LogSpan};
pub use heads::{HeadRepository, SignedHead};
pub use log::{AccountEvents, LogRepository, TenantLogRepository};
pub use machine_tokens::{MachineClaims, MachineTokens, SigningPair, Unopenable};
pub use macs::{MacPurpose, Macs};
pub use mappings::MappingRepository;
pub use nonces::{NonceRepository, NonceUse};
pub use notices::{
    Attempted, Channel, ClaimedNotice, Notice, NoticeFilter, NoticeRecord, NoticeRepository, NoticeState,
    NoticeStatus, Settlement,
};
pub use organisation::{OrgFilter, OrganisationRepository};
pub use outbound::{
    CaptchaAnswer, CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier, Mail, MailAnswer, MailFailure,
    Mailer, WebhookAnswer, WebhookFailure, WebhookRequest, WebhookResponse, WebhookSender,
};
pub use people::{AttemptRepository, Bearer, SessionRepository, UserFilter, UserRepository};
pub use pool::{PoolLease, PoolRepository, PoolState, PooledDatabase, TakenDatabase};
pub use records::{
    ApiKey, ConfigHead, ConfigVersionRecord, Counts, Credentials, EventFilter, IdempotencyKey, LogEntry,
    LogHead, PendingAdmin, RawEntry, Scope, StoredConfig, StoredResponse, UnknownScope,
};
pub use replicas::{Replica, ReplicaRepository};
pub use scope::{NotReady, TenantScope};
pub use sealing::Sealing;
pub use security::{
    AccessClaims, ConfirmClaims, Digest, KeyAudience, KeyMint, MacCheck, MintedKey, PasswordHasher,
    PresentedKey, RunningDigest, SchemaCheck, SchemaSource, Secret, TokenError, Tokens, WebhookSecrets,
    WebhookSigner, hexadecimal,
};
pub use signing_keys::{Algorithm, SigningKey, SigningKeyRepository, SigningKeyState};
pub use tenant::{
    AccountFilter, AccountRepository, AccountRevision, ConfigRepository, IdempotencyRepository,
    SettingsRepository, TenantStore, TenantStores, TenantTx,
};
pub use trades::{HoldingRepository, TradeRepository};
pub use upkeep::{UpkeepRepository, UpkeepRound};
pub use webhooks::{
    ClaimedEndpoint, Delivery, DeliveryAttempt, DeliveryFilter, DeliveryMarkRepository, Outlook,
    SealedSecrets, SettledSlice, WebhookEndpoint, WebhookRepository,
};
pub use work::{Access, Verdict};
