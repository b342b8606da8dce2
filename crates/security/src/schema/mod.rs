//! Checks documents with valico and says what it finds in our words.
//!
//! `compile` gives valico a schema and keeps it; `locate` leads from valico's paths to the place in the document and the
//! schemas that apply there; `faults` words one finding; `choices` finds, where a value may have one of several forms,
//! the form that was meant.

mod choices;
mod compile;
mod faults;
mod locate;
mod nearest;
mod words;

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{SchemaCheck, SchemaSource};

use self::compile::Compiled;

/// The deepest nesting that is looked at, as deep as serde_json reads.
const DEEPEST: usize = 128;

/// Checks documents against our own JSON Schemas (draft 7) with valico.
///
/// A compiled schema is not `Sync`, so every thread compiles a schema when it first meets its name, and keeps it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValicoCheck;

impl SchemaCheck for ValicoCheck {
    fn findings(&self, schema: &SchemaSource, document: &Value) -> Vec<Finding> {
        thread_local! {
            static COMPILED: RefCell<HashMap<&'static str, Compiled>> = RefCell::default();
        }
        if deeper_than(DEEPEST, document) {
            let message = format!("The document is nested more than {DEEPEST} levels deep");
            return vec![Finding::new(Pointer::root(), "invalid", message)];
        }
        COMPILED.with_borrow_mut(|compiled| {
            compiled.entry(schema.name).or_insert_with(|| Compiled::new(schema)).findings(document)
        })
    }
}

/// Without recursion, as it is what protects recursion.
fn deeper_than(limit: usize, document: &Value) -> bool {
    let mut open = vec![(document, 0)];
    while let Some((value, depth)) = open.pop() {
        if depth > limit {
            return true;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    false
}
