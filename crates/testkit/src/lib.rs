#![doc = include_str!("../README.md")]

pub mod contract;
mod failing;
mod fakes;
mod memory;
mod platform;
pub mod postgres;
pub mod sample;

pub use failing::{DatabaseCall, FailingDatabases, FailureMoment};
pub use fakes::{
    FakeClock, FakeDigest, FakeKeys, FakePasswords, FakeSchemaCheck, FakeTokens, FixedEntropy, SeededEntropy,
    SequentialIds,
};
pub use memory::{MemoryControlStore, MemoryTenantDatabases, MemoryTenantStores, MemoryWorld};
pub use platform::TestPlatform;
