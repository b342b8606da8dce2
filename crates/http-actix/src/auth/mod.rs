//! Who is calling, and for which tenant: looked up at most once a second.

mod credential;
mod gate;

pub(crate) use credential::{Credential, bearer, visible};
pub(crate) use gate::Gate;
