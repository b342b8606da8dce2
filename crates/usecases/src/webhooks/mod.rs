//! Webhook endpoints of tenants, and the delivery of events to them.
//!
//! No business transaction writes anything for an endpoint: each reads the log from where it stands, in slices, and what became
//! of a slice is one commit. Who dies between sending and that commit has sent the slice for nothing: it is sent again, with
//! the same ids.

mod again;
mod body;
mod change;
mod create;
mod kept;
mod marking;
mod outcome;
mod read;
mod rotate;
mod secrets;
mod send;
mod settle;
mod slice;
mod test;

use chrono::{DateTime, Utc};
use tenantry_domain::Finding;
use tenantry_domain::tenant::QuotaExceeded;
use tenantry_ports::StoreError;

pub use again::{Recovery, recover, redeliver};
pub use change::{Change, remove, update};
pub use create::{Created, NewEndpoint, create};
pub use marking::Marking;
pub use read::{Recorded, deliveries, delivery, find, page};
pub use rotate::{LONGEST_OVERLAP, Rotation, end_previous, rotate};
pub(crate) use secrets::{new_secrets, reseal};
pub use send::{Outcome, send};
pub use settle::settle;
pub use slice::{Slice, claim, due_tenants, outlook, unmark};
pub use test::{Trial, trial, try_out};

/// Who wants something, and the request it came with.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Who.
    pub actor: String,
    /// The request.
    pub trace: String,
}

/// Why an endpoint was not created, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such endpoint.
    #[error("there is no such webhook endpoint")]
    NotFound,
    /// The endpoint has no such delivery.
    #[error("there is no such delivery")]
    NoSuchDelivery,
    /// Something about the wish is wrong; pointers are those of the API's request body.
    #[error("the endpoint cannot be like this")]
    Invalid(Vec<Finding>),
    /// It is not the version the caller meant.
    #[error("the endpoint has changed since")]
    Stale {
        /// Which it is by now.
        version: i64,
    },
    /// The tenant has as many endpoints as it may have.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The secret was replaced, and the one before still counts.
    #[error("the secret was replaced before, and both count until {until}")]
    RotationUnderWay {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The event of the delivery is kept no longer.
    #[error("the log begins with entry {first}: what was before is kept no longer")]
    Expired {
        /// The first entry that is kept.
        first: i64,
    },
    /// Nothing is delivered to the endpoint.
    #[error("the endpoint is disabled")]
    Disabled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
