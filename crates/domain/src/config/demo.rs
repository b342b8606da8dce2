//! The config that every new tenant begins with.

use serde_json::Value;

/// The document as text: a two-stage evaluation of 25,000 USD with payouts, in which nothing is wrong or doubtful.
pub const DEMO_CONFIG: &str = include_str!("demo.json");

/// The id of [`DEMO_CONFIG`].
pub const DEMO_CONFIG_ID: &str = "demo-25k-eval-v1";

/// The document.
pub fn config() -> Value {
    serde_json::from_str(DEMO_CONFIG).expect("a constant that every test run parses")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::config::{AccountConfig, ConfigId, inspect};

    #[test]
    fn nothing_in_it_is_wrong_or_doubtful() {
        let mut parents = |_: &ConfigId| Ok::<_, Infallible>(None);
        let inspection = inspect(&config(), &|_| Vec::new(), &mut parents, None).unwrap();
        assert_eq!((inspection.errors, inspection.warnings), (Vec::new(), Vec::new()));
        assert_eq!(inspection.accepted.unwrap().id.as_str(), DEMO_CONFIG_ID);
    }

    #[test]
    fn the_typed_config_is_written_as_it_was_read() {
        let typed: AccountConfig = serde_json::from_str(DEMO_CONFIG).unwrap();
        let again: AccountConfig = serde_json::from_str(&serde_json::to_string(&typed).unwrap()).unwrap();
        assert_eq!(again, typed);
    }
}
