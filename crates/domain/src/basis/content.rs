use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Label;
use crate::verbatim::Verbatim;
use crate::{Finding, Pointer};

/// How many variants of its business a tenant has at most.
pub const MOST_VARIANTS: usize = 500;

/// How many steps a process has at most.
pub const MOST_STEPS: usize = 200;

/// The basis: how the tenant is organised in its own words, and the variants of its business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basis {
    /// Whatever the tenant says of its organisation.
    pub org_structure: Verbatim,
    /// The variants of its business; each has a code of its own.
    pub business_variants: Vec<BusinessVariant>,
}

/// A variant of a tenant's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessVariant {
    /// What people call it.
    pub name: Label,
    /// What programs call it; unique among the tenant's variants.
    pub code: Label,
}

/// What a process is: steps, one after the other. A tenant has one of each type and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Process {
    /// What it is called; unique among the tenant's processes of its type.
    pub name: Label,
    /// What kind of process it is, as in `TENDER`.
    pub process_type: Label,
    /// Its steps, in order: 1 to 200, each with a name of its own.
    pub steps: Vec<Step>,
}

/// A step of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// What it is called; unique within the process.
    pub step_name: Label,
    /// Which role somebody needs to take it: one of the tenant's own, as in `BUYER`.
    pub required_role: Label,
}

impl Basis {
    /// Nothing said yet.
    pub fn empty() -> Self {
        Self { org_structure: Verbatim::empty(), business_variants: Vec::new() }
    }

    /// Everything that is wrong with the variants, which are at `pointer`: there are too many, or two have one code.
    pub fn check_variants(variants: &[BusinessVariant], pointer: &Pointer) -> Vec<Finding> {
        let mut findings = Vec::new();
        if variants.len() > MOST_VARIANTS {
            let message = format!("There may be at most {MOST_VARIANTS} business variants");
            findings.push(Finding::new(pointer.clone(), "too_many", message));
        }
        let codes = variants.iter().map(|variant| &variant.code);
        findings.extend(repeated(codes).map(|(place, code, first)| {
            let message = format!("The code '{code}' is that of variant {first} already");
            Finding::new(pointer.index(place).member("code"), "duplicate_code", message)
        }));
        findings
    }
}

impl Process {
    /// Everything that is wrong with a process at `pointer`: it has no steps or too many, or two have one name.
    pub fn check(&self, pointer: &Pointer) -> Vec<Finding> {
        let mut findings = Vec::new();
        let at = pointer.member("steps");
        if self.steps.is_empty() {
            findings.push(Finding::new(at.clone(), "too_few", "A process has at least one step"));
        }
        if self.steps.len() > MOST_STEPS {
            let message = format!("A process has at most {MOST_STEPS} steps");
            findings.push(Finding::new(at.clone(), "too_many", message));
        }
        let names = self.steps.iter().map(|step| &step.step_name);
        findings.extend(repeated(names).map(|(place, name, first)| {
            let message = format!("The name '{name}' is that of step {first} already");
            Finding::new(at.index(place).member("stepName"), "duplicate_step", message)
        }));
        findings
    }
}

/// The labels that came before, each with its place and that of the first one.
fn repeated<'a>(labels: impl Iterator<Item = &'a Label>) -> impl Iterator<Item = (usize, &'a Label, usize)> {
    let mut seen: HashMap<&Label, usize> = HashMap::new();
    labels.enumerate().filter_map(move |(place, label)| {
        let first = *seen.entry(label).or_insert(place);
        (first < place).then_some((place, label, first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Label {
        Label::new(text).unwrap()
    }

    fn process(steps: impl IntoIterator<Item = String>) -> Process {
        let step = |name: String| Step { step_name: label(&name), required_role: label("BUYER") };
        Process {
            name: label("Standard Tender"),
            process_type: label("TENDER"),
            steps: steps.into_iter().map(step).collect(),
        }
    }

    fn told(findings: &[Finding]) -> Vec<(&str, &str)> {
        findings.iter().map(|finding| (finding.pointer.as_str(), finding.code.as_ref())).collect()
    }

    #[test]
    fn every_code_that_another_variant_has_is_named() {
        let variant = |code: &str| BusinessVariant { name: label("Default"), code: label(code) };
        let variants = ["DEF", "def", "DEF", "X", "DEF"].map(variant);
        let at = Pointer::root().member("businessVariants");
        let findings = Basis::check_variants(&variants, &at);
        assert_eq!(
            told(&findings),
            [("/businessVariants/2/code", "duplicate_code"), ("/businessVariants/4/code", "duplicate_code")]
        );
        assert_eq!(findings[0].message, "The code 'DEF' is that of variant 0 already");
        let many: Vec<_> = (0..=MOST_VARIANTS).map(|n| variant(&n.to_string())).collect();
        assert_eq!(told(&Basis::check_variants(&many, &at)), [("/businessVariants", "too_many")]);
        assert_eq!(Basis::check_variants(&many[1..], &at), []);
    }

    #[test]
    fn a_process_has_steps_with_names_of_their_own() {
        let check = |names: &[&str]| {
            let process = process(names.iter().map(|name| (*name).to_owned()));
            told(&process.check(&Pointer::root()))
                .into_iter()
                .map(|(at, code)| format!("{at} {code}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(check(&["Draft", "Publish"]), [""; 0]);
        assert_eq!(check(&[]), ["/steps too_few"]);
        assert_eq!(check(&["Draft", "Publish", "Draft"]), ["/steps/2/stepName duplicate_step"]);
        let many = process((0..=MOST_STEPS).map(|n| n.to_string()));
        assert_eq!(told(&many.check(&Pointer::root())), [("/steps", "too_many")]);
    }
}
