use serde_json::Value;

use super::inherit::{Lineage, resolve};
use super::logic::check_logic;
use super::{AccountConfig, ConfigId};
use crate::id::TenantId;
use crate::tenant::Slug;
use crate::{Finding, Pointer};

/// The tenant a config is uploaded to.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The tenant's slug.
    pub slug: &'a Slug,
}

impl Owner<'_> {
    /// Whether this text, an id or a slug, means the tenant.
    pub fn is(&self, tenant: &str) -> bool {
        tenant == self.slug.as_str() || tenant == self.tenant_id.to_string()
    }
}

/// What came out of looking at a config document.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Everything that is wrong, sorted by place, each once. Pointers go into the resolved document.
    pub errors: Vec<Finding>,
    /// Everything that is doubtful, sorted by place, each once.
    pub warnings: Vec<Finding>,
    /// The config, exactly if there are no errors.
    pub accepted: Option<AcceptedConfig>,
}

/// A config in which nothing is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedConfig {
    /// Its id.
    pub id: ConfigId,
    /// The document laid over its parent: what is stored and what accounts are provisioned from.
    pub resolved: Value,
    /// The same, typed.
    pub config: AccountConfig,
}

/// Looks at a config document as it was uploaded: resolves what it inherits, and collects all findings of the schema
/// and of the logic at once.
///
/// - `schema_findings` checks a document against [`schema`](super::schema) (a port, since it needs a JSON Schema checker).
/// - `parents` looks up stored configs, see [`resolve`].
/// - `owner` is the tenant it is uploaded to; without one, `tenantId` is not checked.
///
/// Fails only when `parents` does.
pub fn inspect<E>(
    document: &Value,
    schema_findings: &dyn Fn(&Value) -> Vec<Finding>,
    parents: &mut dyn FnMut(&ConfigId) -> Result<Option<Value>, E>,
    owner: Option<&Owner<'_>>,
) -> Result<Inspection, E> {
    if !document.is_object() {
        let finding = Finding::new(Pointer::root(), "not_an_object", "An account config is a JSON object");
        return Ok(Inspection { errors: vec![finding], warnings: Vec::new(), accepted: None });
    }
    let Lineage { resolved, findings: mut errors } = resolve(document, parents)?;
    errors.extend(schema_findings(&resolved));
    let logic = check_logic(&resolved, owner);
    errors.extend(logic.errors);

    let mut accepted = None;
    if errors.is_empty() {
        // The schema is meant to say all that the types demand; where it does not, nothing wrong gets past the types.
        match serde_json::from_value::<AccountConfig>(resolved.clone()) {
            Ok(config) => {
                accepted = Some(AcceptedConfig { id: config.id.clone(), resolved, config });
            }
            Err(fault) => {
                let message = format!("The document is not an account config: {fault}");
                errors.push(Finding::new(Pointer::root(), "invalid_document", message));
            }
        }
    }
    Ok(Inspection { errors: tidy(errors), warnings: tidy(logic.warnings), accepted })
}

fn tidy(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_unstable();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;
    use crate::config::demo;

    fn inspected(
        document: &Value,
        schema_findings: &dyn Fn(&Value) -> Vec<Finding>,
        stored: &Value,
    ) -> Inspection {
        let mut parents = |id: &ConfigId| Ok::<_, Infallible>(stored.get(id.as_str()).cloned());
        inspect(document, schema_findings, &mut parents, None).unwrap()
    }

    fn nothing(_: &Value) -> Vec<Finding> {
        Vec::new()
    }

    fn codes(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| &*finding.code).collect()
    }

    #[test]
    fn what_is_no_object_has_one_finding() {
        for document in [json!([]), json!("x"), json!(null), json!(7)] {
            let inspection = inspected(&document, &|_| unreachable!("nothing to check"), &json!({}));
            assert_eq!(codes(&inspection.errors), ["not_an_object"]);
            assert_eq!(inspection.accepted, None);
        }
    }

    #[test]
    fn findings_of_schema_and_logic_come_together_sorted_and_once() {
        let mut document = demo::config();
        document["currency"] = json!("usd");
        document["baseCapital"] = json!(10);
        let too_small = Finding::new(Pointer::root().member("baseCapital"), "minimum", "at least 1000");
        let schema = |_: &Value| vec![too_small.clone(), too_small.clone()];
        let inspection = inspected(&document, &schema, &json!({}));
        assert_eq!(codes(&inspection.errors), ["minimum", "unknown_currency"]);
        assert_eq!(inspection.accepted, None);
    }

    #[test]
    fn the_schema_sees_the_resolved_document() {
        let parent = demo::config();
        let document =
            json!({ "id": "child-v1", "displayName": "Child", "parentConfigId": "demo-25k-eval-v1" });
        let schema = |resolved: &Value| {
            assert_eq!(resolved["variant"], "evaluation");
            assert_eq!(resolved["displayName"], "Child");
            Vec::new()
        };
        let inspection = inspected(&document, &schema, &json!({ "demo-25k-eval-v1": parent }));
        assert_eq!(inspection.errors, []);
        let accepted = inspection.accepted.unwrap();
        assert_eq!(accepted.id.as_str(), "child-v1");
        assert_eq!(accepted.config.parent_config_id.unwrap().as_str(), "demo-25k-eval-v1");
        assert_eq!(accepted.resolved["baseCapital"], 25000);
    }

    #[test]
    fn what_a_lax_schema_lets_through_the_types_refuse() {
        for (pointer, value) in
            [("/baseCapital", json!(10)), ("/displayName", json!("")), ("/variant", json!("free"))]
        {
            let mut document = demo::config();
            *document.pointer_mut(pointer).unwrap() = value;
            let inspection = inspected(&document, &nothing, &json!({}));
            assert_eq!(codes(&inspection.errors), ["invalid_document"], "{pointer}");
            assert_eq!(inspection.accepted, None);
        }
        let mut document = demo::config();
        document["surprise"] = json!(true);
        assert_eq!(codes(&inspected(&document, &nothing, &json!({})).errors), ["invalid_document"]);
    }

    #[test]
    fn a_missing_parent_is_one_finding_among_the_others() {
        let mut document = demo::config();
        document["parentConfigId"] = json!("gone-v1");
        document["timezone"] = json!("Mars/Olympus");
        let inspection = inspected(&document, &nothing, &json!({}));
        assert_eq!(codes(&inspection.errors), ["parent_not_found", "unknown_timezone"]);
    }

    #[test]
    fn warnings_do_not_hinder() {
        let mut document = demo::config();
        document["payoutRules"]["stagedPayouts"][0]["milestone"] = json!("someday");
        let inspection = inspected(&document, &nothing, &json!({}));
        assert_eq!(codes(&inspection.warnings), ["unknown_milestone"]);
        assert!(inspection.errors.is_empty() && inspection.accepted.is_some());
    }
}
