//! Trades and prices: reported, and applied to accounts by the rules of their configs.

mod apply;
mod body;
mod marks;
mod read;
mod view;

pub(crate) use apply::{__path_apply, apply};
pub(crate) use marks::{__path_mark, mark};
pub(crate) use read::{__path_list, list};
pub(crate) use view::answer;

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<body::TradesBody>(all);
    generated::<marks::MarksBody>(all);
    generated::<marks::MarkedView>(all);
    generated::<view::TradedView<'_>>(all);
    generated::<read::TradePage>(all);
}
