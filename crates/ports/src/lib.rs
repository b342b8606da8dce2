#![doc = include_str!("../README.md")]

mod ambient;
mod control;
mod databases;
mod error;
mod outbound;
mod records;
mod scope;
mod security;
mod tenant;
mod work;

pub use ambient::{Clock, Entropy, Ids, Nudge};
pub use control::{
    ApiKeyRepository, Claim, ControlStore, ControlTx, Lease, RunRepository, TenantFilter, TenantRepository,
};
pub use databases::{DatabaseError, DatabaseFault, Presence, TenantDatabases};
pub use error::{Constraint, StoreError, StoreResult};
pub use outbound::{CaptchaAnswer, CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier};
pub use records::{
    ApiKey, ConfigHead, Credentials, IdempotencyKey, LogEntry, LogHead, PendingAdmin, Scope, Session,
    StoredConfig, StoredResponse, UnknownScope,
};
pub use scope::{NotReady, TenantScope};
pub use security::{
    AccessClaims, ConfirmClaims, Digest, KeyAudience, KeyMint, MintedKey, PasswordHasher, PresentedKey,
    SchemaCheck, SchemaSource, Secret, TokenError, Tokens,
};
pub use tenant::{
    AccountFilter, AccountRepository, ConfigRepository, IdempotencyRepository, LogRepository,
    SessionRepository, SettingsRepository, TenantStore, TenantStores, TenantTx, UserRepository,
};
pub use work::{Access, Verdict};
