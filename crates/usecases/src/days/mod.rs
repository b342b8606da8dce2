//! Days begin by themselves: what time alone does to accounts is done when it is due, and nobody looks at tenants of which
//! nothing is.
//!
//! Whatever changes an account says when to look at it again ([`Account::rolls_at`](tenantry_domain::account::Account::rolls_at)),
//! and before that is committed the control database knows that its tenant is to be looked at by then. A process remembers
//! what it has noted there, so that costs one write per tenant and day.

mod looks;
mod plan;
mod roll;

pub use looks::NotedLooks;
pub(crate) use looks::{Looks, after_import, write};
pub(crate) use plan::{is_behind, plan};
pub use roll::{Rolled, roll_once};
