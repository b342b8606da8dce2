//! Facts about [`TenantStore`](tenantry_ports::TenantStore)s.

pub mod accounts;
pub mod attempts;
pub mod configs;
pub mod idempotency;
pub mod log;
pub mod mappings;
pub mod people;
pub mod sessions;
pub mod settings;
pub mod trades;
pub mod transactions;
