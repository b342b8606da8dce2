//! Events, as they are asked for: by the page, one by one, or as they come.

mod catalogue;
pub(crate) mod data;
mod page;

pub use catalogue::{Described, catalogue};
pub use page::{FeedError, FeedPage, Start, Wanted, find, page};
