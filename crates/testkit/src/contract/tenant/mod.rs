//! Facts about [`TenantStore`](tenantry_ports::TenantStore)s.

pub mod accounts;
pub mod attempts;
pub mod basis;
pub mod configs;
pub mod days;
pub mod floor;
pub mod histories;
pub mod idempotency;
pub mod log;
pub mod mappings;
pub mod organisation;
pub mod people;
pub mod sessions;
pub mod settings;
pub mod trades;
pub mod transactions;
pub mod webhooks;
