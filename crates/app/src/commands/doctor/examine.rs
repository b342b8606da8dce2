use tenantry_store_diesel::DatabaseUrl;
use tenantry_usecases::doctor::{self, Symptom};

use super::{Cure, Finding, files, master_key, servers, settings};
use crate::compose::{self, Installation};
use crate::failure::Failure;
use crate::settings::{Layers, Settings};

/// What was found, and what can be worked with.
pub(super) struct Checkup {
    pub(super) findings: Vec<Finding>,
    /// If it could be put together.
    pub(super) installation: Option<Installation>,
}

/// Looks at everything, as far as each thing leads to the next.
pub(super) fn examine(layers: &Layers) -> Checkup {
    let mut findings = Vec::new();
    let settings = match Settings::read(layers) {
        Ok(settings) => settings,
        Err(problems) => {
            let next = "change it there; `tenantry config show` prints what is in force, and from where";
            let wrong = problems
                .iter()
                .map(|problem| Symptom::error("settings", "settings", problem.to_string(), next));
            return Checkup { findings: wrong.map(Finding::from).collect(), installation: None };
        }
    };
    findings.extend(settings::findings(&settings));
    let installation = installation(&settings, &mut findings);
    if let Some(installation) = &installation {
        findings.extend(servers::findings(&settings, &installation.stores));
        if control(installation, &mut findings) {
            findings.extend(doctor::examine(&installation.platform).into_iter().map(Finding::from));
            findings.extend(master_key::findings(&settings, &installation.platform));
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.symptom.severity));
    Checkup { findings, installation }
}

/// Puts the installation together, unless that would make something that is missing.
fn installation(settings: &Settings, findings: &mut Vec<Finding>) -> Option<Installation> {
    if let DatabaseUrl::Sqlite(path) = &settings.stores.url
        && !path.exists()
    {
        let what = "there is no installation yet: the first start makes one";
        findings.push(Symptom::ok("not_installed", path.display().to_string(), what).into());
        return None;
    }
    let (files, usable) = files::findings(settings);
    findings.extend(files);
    if !usable {
        return None;
    }
    match compose::assemble(settings) {
        Ok(installation) => Some(installation),
        Err(failure) => {
            findings.push(unusable(&failure));
            None
        }
    }
}

/// Whether the control database is as this version needs it.
fn control(installation: &Installation, findings: &mut Vec<Finding>) -> bool {
    let place = "control database";
    match installation.stores.pending_control() {
        Ok(0) => {
            findings.push(Symptom::ok("control_schema", place, "it is up to date").into());
            true
        }
        Ok(lacking) => {
            let what = format!("it is behind by {lacking} migrations, and nothing else can be looked at");
            let next = "run `tenantry migrate`, or start the server";
            let behind = Finding::from(Symptom::error("control_behind", place, what, next));
            findings.push(behind.with(Cure::MigrateControl));
            false
        }
        Err(error) => {
            findings.push(unusable(&compose::store_failure(&error)));
            false
        }
    }
}

/// A reason not to go on, as a finding.
fn unusable(failure: &Failure) -> Finding {
    let (what, next) = failure.parts();
    let next = next.unwrap_or("see what is said there");
    Symptom::error("unusable_installation", "installation", what.join("; "), next).into()
}
