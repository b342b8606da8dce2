//! OAuth 2.0 for machines: an access token for an API key, and what others need to check such tokens themselves.

mod published;
mod token;

pub(crate) use self::published::*;
pub(crate) use self::token::*;
