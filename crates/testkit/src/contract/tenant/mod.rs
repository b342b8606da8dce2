//! Facts about [`TenantStore`](tenantry_ports::TenantStore)s.

pub mod accounts;
pub mod configs;
pub mod idempotency;
pub mod log;
pub mod people;
pub mod settings;
pub mod transactions;
