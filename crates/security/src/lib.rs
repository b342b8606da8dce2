#![doc = include_str!("../README.md")]

mod ambient;
mod api_keys;
mod digest;
mod hmac_secrets;
mod logins;
mod macs;
mod master_key;
mod passwords;
mod schema;
mod sealing;
#[cfg(test)]
mod testing;
mod tokens;
mod webhooks;

pub use ambient::{SystemClock, SystemEntropy, SystemIds};
pub use api_keys::ApiKeyMint;
pub use digest::Sha256Digest;
pub use hmac_secrets::{HmacSecrets, InvalidSecrets};
pub use logins::DatabaseLogins;
pub use macs::DerivedMacs;
pub use master_key::{InvalidMasterKey, MasterKey};
pub use passwords::{Argon2Cost, Argon2Passwords, InvalidCost};
pub use schema::ValicoCheck;
pub use sealing::{Place, SealingBox};
pub use tenantry_ports::Unopenable;
pub use tokens::{Es256Tokens, SignedTokens};
pub use webhooks::{InvalidWebhookSecret, StandardWebhooks, WebhookSecretMint};
