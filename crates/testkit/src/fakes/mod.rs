//! Clock, ids, randomness and security ports that are plain, fast and predictable.

mod clock;
mod endpoints;
mod entropy;
mod ids;
mod keys;
mod machine_tokens;
mod macs;
mod outbound;
mod passwords;
mod schema;
mod sealing;
mod tokens;

pub use clock::FakeClock;
pub use endpoints::{FakeEndpoints, FakeWebhookSecrets, ReceivedEndpointCall};
pub use entropy::{FixedEntropy, SeededEntropy};
pub use ids::SequentialIds;
pub use keys::{FakeDigest, FakeKeys};
pub use machine_tokens::FakeMachineTokens;
pub use macs::FakeMacs;
pub use outbound::{FakeMailer, FakeSigner, FakeWebhooks, ReceivedCall};
pub use passwords::FakePasswords;
pub use schema::FakeSchemaCheck;
pub use sealing::FakeSealing;
pub use tokens::FakeTokens;
