//! One module per command: what it does and how its result is printed.

pub(crate) mod account_config;
pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod notices;
pub(crate) mod openapi;
pub(crate) mod rewrap;
pub(crate) mod serve;
pub(crate) mod signing_keys;
mod table;
pub(crate) mod tenants;

use std::io::{ErrorKind, Write as _};

use tenantry_domain::id::TenantId;
use tenantry_usecases::Platform;
use tenantry_usecases::tenants::{TenantRef, find};

use crate::compose::store_failure;
use crate::failure::Failure;

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            format!("the result cannot be written: {error}"),
            "look at where the output goes",
        )),
        _ => Ok(()),
    }
}

/// Writes a result as JSON for programs.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// The tenant that somebody means on the command line.
fn tenant_id(platform: &Platform, text: &str) -> Result<TenantId, Failure> {
    let unknown = || {
        let what = format!("there is no tenant '{text}'");
        Failure::new(what, "give the slug or the id of a tenant as `tenantry tenants list` shows them")
    };
    let reference: TenantRef = text.parse().map_err(|_| unknown())?;
    let tenant = find(platform, &reference).map_err(|error| store_failure(&error))?;
    tenant.map(|tenant| tenant.id).ok_or_else(unknown)
}
