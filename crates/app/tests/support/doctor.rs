//! What the doctor says.

use std::path::Path;

use serde_json::Value;

use super::run;

/// Looks at an installation without waiting for a pool that nobody keeps.
pub(crate) const NO_POOL: (&str, &str) = ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "0");

/// What the doctor says, with its exit status.
pub(crate) fn examine(here: &Path, more: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let said = run(here, &[&["doctor", "--json"][..], more].concat(), environment);
    let found = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    (said.status, found)
}

/// The codes of what is wrong.
pub(crate) fn wrong(found: &Value) -> Vec<String> {
    let findings = found["findings"].as_array().unwrap().iter();
    let wrong = findings.filter(|finding| finding["severity"] != "ok");
    wrong.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}
