//! `doctor`: finds what is wrong with an installation, says what to do about it, and with `--fix` does it.
//!
//! Looking changes nothing: no directory, key or database is made, and the control database is not migrated.

mod examine;
mod files;
mod master_key;
mod servers;
mod settings;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use tenantry_usecases::doctor::{Remedy, Severity, Symptom, cure};

use self::examine::{Checkup, examine};
use super::{print, print_json};
use crate::cli::Doctor;
use crate::failure::Failure;
use crate::settings::Layers;

/// Something that was looked at, how it is, and what would put it right.
struct Finding {
    symptom: Symptom,
    cure: Option<Cure>,
}

/// What is safe to do.
enum Cure {
    /// What the use cases know.
    Platform(Remedy),
    /// Bring the control database up to date.
    MigrateControl,
    /// Keep other users out of a file or directory.
    Tighten(PathBuf),
    /// Drop logins that may enter no database.
    DropLogins,
}

impl Finding {
    fn with(self, cure: Cure) -> Self {
        Self { cure: Some(cure), ..self }
    }
}

impl From<Symptom> for Finding {
    fn from(mut symptom: Symptom) -> Self {
        let cure = symptom.remedy.take().map(Cure::Platform);
        Self { symptom, cure }
    }
}

/// What was done about a finding, or why that did not help.
struct Treated {
    code: &'static str,
    place: String,
    outcome: Result<String, String>,
}

/// Once the control database is up to date there is more to see; once that is put right, what is left is left.
const ROUNDS: usize = 3;

/// Examines the installation; with `--fix`, puts right what is safe and examines it again. Fails if an error is left.
pub(crate) fn doctor(layers: &Layers, wish: &Doctor) -> Result<(), Failure> {
    let mut checkup = examine(layers);
    let (mut treated, mut tried) = (Vec::new(), BTreeSet::new());
    for _ in 0..if wish.fix { ROUNDS } else { 0 } {
        let before = treated.len();
        for finding in &checkup.findings {
            let Some(cure) = &finding.cure else { continue };
            let Symptom { code, place, .. } = &finding.symptom;
            if tried.insert((*code, place.clone())) {
                let outcome = treat(&checkup, cure, wish.jobs.get());
                treated.push(Treated { code, place: place.clone(), outcome });
            }
        }
        if treated.len() == before {
            break;
        }
        checkup = examine(layers);
    }
    match wish.json {
        true => print_json(&as_json(&checkup, &treated))?,
        false => print(&as_text(&checkup, &treated))?,
    }
    match count(&checkup, Severity::Error) {
        0 => Ok(()),
        _ => Err(Failure::told()),
    }
}

fn treat(checkup: &Checkup, remedy: &Cure, jobs: usize) -> Result<String, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let gone = || "there is nothing to work with".to_owned();
    let installation = || checkup.installation.as_ref().ok_or_else(gone);
    match remedy {
        Cure::Platform(remedy) => cure(&installation()?.platform, remedy, jobs).map_err(|error| text(&error)),
        Cure::MigrateControl => {
            let migrations = installation()?.stores.migrate_control().map_err(|error| text(&error))?;
            Ok(format!("{migrations} migrations done"))
        }
        Cure::Tighten(path) => files::tighten(path).map_err(|error| text(&error)),
        Cure::DropLogins => {
            let dropped = installation()?.stores.drop_orphaned_logins().map_err(|error| text(&error))?;
            Ok(format!("{dropped} logins dropped"))
        }
    }
}

fn count(checkup: &Checkup, severity: Severity) -> usize {
    checkup.findings.iter().filter(|finding| finding.symptom.severity == severity).count()
}

fn as_text(checkup: &Checkup, treated: &[Treated]) -> String {
    let mut text = String::new();
    for Treated { place, outcome, .. } in treated {
        text += &match outcome {
            Ok(done) => format!("fixed: {place}: {done}\n"),
            Err(reason) => format!("not fixed: {place}: {reason}\n"),
        };
    }
    for Finding { symptom, .. } in &checkup.findings {
        text += &format!("{}: {}: {}\n", symptom.severity.as_str(), symptom.place, symptom.what);
        if let Some(next) = &symptom.next {
            text += &format!("  fix: {next}\n");
        }
    }
    let (errors, warnings) = (count(checkup, Severity::Error), count(checkup, Severity::Warning));
    let fixable = checkup.findings.iter().filter(|finding| finding.cure.is_some()).count();
    text += &match (errors, warnings) {
        (0, 0) => "Nothing is wrong.\n".to_owned(),
        _ if fixable > 0 && treated.is_empty() => {
            format!("errors: {errors}, warnings: {warnings}; `tenantry doctor --fix` puts {fixable} right\n")
        }
        _ => format!("errors: {errors}, warnings: {warnings}\n"),
    };
    text
}

fn as_json(checkup: &Checkup, treated: &[Treated]) -> Value {
    let finding = |Finding { symptom, cure }: &Finding| {
        json!({
            "code": symptom.code,
            "severity": symptom.severity.as_str(),
            "where": symptom.place,
            "what": symptom.what,
            "next": symptom.next,
            "fixable": cure.is_some(),
        })
    };
    let treatment = |Treated { code, place, outcome }: &Treated| {
        let (done, failed) = (outcome.as_ref().ok(), outcome.as_ref().err());
        json!({ "code": code, "where": place, "done": done, "failed": failed })
    };
    json!({
        "findings": checkup.findings.iter().map(finding).collect::<Vec<_>>(),
        "treated": treated.iter().map(treatment).collect::<Vec<_>>(),
        "errors": count(checkup, Severity::Error),
        "warnings": count(checkup, Severity::Warning),
    })
}
