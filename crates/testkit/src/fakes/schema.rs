use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_ports::{SchemaCheck, SchemaSource};

/// A schema check that always says the same: nothing (every document is valid), or the findings it was made with.
#[derive(Debug, Clone, Default)]
pub struct FakeSchemaCheck(Vec<Finding>);

impl FakeSchemaCheck {
    /// Finds every document valid.
    pub const fn content() -> Self {
        Self(Vec::new())
    }

    /// Finds this in every document.
    pub const fn finding(findings: Vec<Finding>) -> Self {
        Self(findings)
    }
}

impl SchemaCheck for FakeSchemaCheck {
    fn findings(&self, _: &SchemaSource, _: &Value) -> Vec<Finding> {
        self.0.clone()
    }
}
