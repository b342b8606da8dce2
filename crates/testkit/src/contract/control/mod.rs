//! Facts about [`ControlStore`](tenantry_ports::ControlStore)s.

pub mod api_keys;
pub mod runs;
pub mod tenants;
pub mod transactions;
