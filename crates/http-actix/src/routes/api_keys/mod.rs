//! A tenant's API keys.

mod change;
mod create;
mod read;
mod view;

use tenantry_domain::id::ApiKeyId;
use tenantry_domain::{Finding, Pointer};

use crate::call::Call;
use crate::problem::{Code, Problem};

pub(crate) use self::change::*;
pub(crate) use self::create::*;
pub(crate) use self::read::*;
#[cfg(test)]
pub(crate) use self::view::NewKeyView;

fn unknown() -> Problem {
    Problem::new(Code::ApiKeyNotFound, "The tenant has no API key of this id")
}

/// The key that the path names.
fn id(call: &Call) -> Result<ApiKeyId, Problem> {
    call.segment("keyId").parse().map_err(|_| unknown())
}

fn overlap_too_long() -> Problem {
    let pointer = Pointer::root().member("overlapSeconds");
    let message = "A key that was replaced works for 2592000 more seconds (30 days) at most";
    Problem::invalid(vec![Finding::new(pointer, "too_large", message)])
}
