//! `account-config`: what an upload would say about a document, without a server.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenantry_domain::config::{self, Inspection, inspect_all};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::SchemaCheck as _;
use tenantry_security::ValicoCheck;
use tenantry_usecases::configs::account_config_schema;

use super::{print, print_json};
use crate::failure::Failure;

/// Prints the JSON Schema.
pub(crate) fn schema() -> Result<(), Failure> {
    print_json(&config::schema())
}

/// Checks every file and prints what there is to say; fails if any of them is invalid.
pub(crate) fn validate(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let documents: Vec<_> =
        files.iter().map(|path| Ok((name(path), parse(&read(path)?)))).collect::<Result<_, _>>()?;
    let readable: Vec<_> = documents.iter().filter_map(|(_, document)| document.as_ref().ok()).collect();
    let schema = account_config_schema();
    let mut inspected =
        inspect_all(&readable, &|resolved| ValicoCheck.findings(&schema, resolved)).into_iter();
    let verdicts: Vec<_> = documents
        .iter()
        .filter_map(|(name, document)| match document {
            Ok(_) => Some((name, inspected.next()?)),
            Err(finding) => Some((
                name,
                Inspection { errors: vec![finding.clone()], warnings: Vec::new(), accepted: None },
            )),
        })
        .collect();

    if json {
        print_json(&verdicts.iter().map(|(name, verdict)| as_json(name, verdict)).collect())?;
    } else {
        print(&verdicts.iter().map(|(name, verdict)| as_lines(name, verdict)).collect::<String>())?;
    }
    let invalid = verdicts.iter().filter(|(_, verdict)| !verdict.errors.is_empty()).count();
    match invalid {
        0 => Ok(()),
        _ if json => Err(Failure::told()),
        _ => Err(Failure::new(
            format!("{invalid} of {} account configs would be refused", verdicts.len()),
            "change what is named above; `tenantry account-config schema` prints what a config consists of",
        )),
    }
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    bytes.map_err(|error| {
        Failure::new(format!("cannot read {}: {error}", name(path)), "name a file that can be read")
    })
}

fn parse(bytes: &[u8]) -> Result<Value, Finding> {
    serde_json::from_slice(bytes).map_err(|error| {
        Finding::new(Pointer::root(), "malformed_json", format!("This is not JSON: {error}"))
    })
}

fn as_lines(name: &str, verdict: &Inspection) -> String {
    let errors = verdict.errors.iter().map(|finding| format!("{name}: {finding}\n"));
    let warnings = verdict.warnings.iter().map(|finding| format!("{name}: warning: {finding}\n"));
    let fine = verdict.errors.is_empty().then(|| format!("{name}: OK\n"));
    errors.chain(warnings).chain(fine).collect()
}

/// As the API's answer to a validation, with the file's name.
fn as_json(name: &str, verdict: &Inspection) -> Value {
    let status = if verdict.errors.is_empty() { "OK" } else { "INVALID" };
    json!({ "file": name, "status": status, "errors": verdict.errors, "warnings": verdict.warnings })
}
