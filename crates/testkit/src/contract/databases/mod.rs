//! Facts about [`TenantDatabases`](tenantry_ports::TenantDatabases), and about opening what they made.

pub mod isolation;
pub mod lifecycle;

use tenantry_ports::{Presence, TenantScope};

use super::{Subject, scope};

fn presence(subject: &dyn Subject, scope: &TenantScope) -> Presence {
    subject.databases().presence(scope).expect("looking does not fail")
}
