#![doc = include_str!("../README.md")]

mod ambient;
mod control;
mod databases;
mod error;
mod nonces;
mod notices;
mod outbound;
mod pool;
mod records;
mod replicas;
mod scope;
mod security;
mod tenant;
mod work;

pub use ambient::{Clock, Entropy, Ids, Nudge};
pub use control::{
    ApiKeyRepository, Claim, ControlStore, ControlTx, Lease, OpenRun, RunRepository, TenantFilter,
    TenantRepository,
};
pub use databases::{DatabaseError, DatabaseFault, FoundDatabase, Permit, Presence, TenantDatabases};
pub use error::{Constraint, StoreError, StoreResult};
pub use nonces::{NonceRepository, NonceUse};
pub use notices::{
    Attempted, Channel, ClaimedNotice, Notice, NoticeFilter, NoticeRecord, NoticeRepository, NoticeState,
    NoticeStatus, Settlement,
};
pub use outbound::{
    CaptchaAnswer, CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier, Mail, MailAnswer, MailFailure,
    Mailer, WebhookAnswer, WebhookFailure, WebhookRequest, WebhookResponse, WebhookSender,
};
pub use pool::{PoolLease, PoolRepository, PoolState, PooledDatabase, TakenDatabase};
pub use records::{
    ApiKey, ConfigHead, Counts, Credentials, IdempotencyKey, LogEntry, LogHead, PendingAdmin, Scope, Session,
    StoredConfig, StoredResponse, UnknownScope,
};
pub use replicas::{Replica, ReplicaRepository};
pub use scope::{NotReady, TenantScope};
pub use security::{
    AccessClaims, ConfirmClaims, Digest, KeyAudience, KeyMint, MacCheck, MintedKey, PasswordHasher,
    PresentedKey, RunningDigest, SchemaCheck, SchemaSource, Secret, TokenError, Tokens, WebhookSigner,
    hexadecimal,
};
pub use tenant::{
    AccountFilter, AccountRepository, AccountRevision, ConfigRepository, IdempotencyRepository,
    LogRepository, SessionRepository, SettingsRepository, TenantStore, TenantStores, TenantTx,
    UserRepository,
};
pub use work::{Access, Verdict};
