#![doc = include_str!("../README.md")]

mod ambient;
mod api_keys;
mod digest;
mod master_key;
mod passwords;
mod schema;
mod sealing;
#[cfg(test)]
mod testing;
mod tokens;

pub use ambient::{SystemClock, SystemEntropy, SystemIds};
pub use api_keys::ApiKeyMint;
pub use digest::Sha256Digest;
pub use master_key::{InvalidMasterKey, MasterKey};
pub use passwords::{Argon2Cost, Argon2Passwords, InvalidCost};
pub use schema::ValicoCheck;
pub use sealing::{Place, SealingBox, Unopenable};
pub use tokens::SignedTokens;
