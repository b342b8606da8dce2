//! A tenant's events, as they are asked for: by the page, one by one, or as they come.

mod announcing;
mod catalogue;
pub(crate) mod data;
mod page;

pub use announcing::Announcing;
pub use catalogue::{Described, catalogue};
pub use page::{FeedError, FeedPage, Start, Wanted, find, page};
