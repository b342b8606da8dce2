//! Facts about [`ControlStore`](tenantry_ports::ControlStore)s.

pub mod api_keys;
pub mod carryover;
pub mod days;
pub mod delivery_marks;
pub mod fleet;
pub mod heads;
pub mod idempotency;
pub mod log;
pub mod nonces;
pub mod notices;
pub mod oversight;
pub mod pool;
pub mod pool_leases;
pub mod replicas;
pub mod runs;
pub mod signing_keys;
pub mod tenants;
pub mod transactions;
pub mod unreadable;
pub mod upkeep;
