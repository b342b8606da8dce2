#![doc = include_str!("../README.md")]

pub mod contract;
mod failing;
mod fakes;
pub mod histories;
mod memory;
mod platform;
pub mod postgres;
pub mod sample;
pub mod smtp;

pub use failing::{DatabaseCall, FailingDatabases, FailureMoment};
pub use fakes::{
    FakeClock, FakeDigest, FakeEndpoints, FakeKeys, FakeMachineTokens, FakeMacs, FakeMailer, FakePasswords,
    FakeSchemaCheck, FakeSealing, FakeSigner, FakeTokens, FakeWebhookSecrets, FakeWebhooks, FixedEntropy,
    ReceivedCall, ReceivedEndpointCall, SeededEntropy, SequentialIds,
};
pub use memory::{LogRows, MemoryControlStore, MemoryTenantDatabases, MemoryTenantStores, MemoryWorld};
pub use platform::{TestPlatform, platform_over};
