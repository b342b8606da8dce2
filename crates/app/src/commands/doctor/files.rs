//! The data directory and the secret key in it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tenantry_security::MasterKey;
use tenantry_store_diesel::DatabaseUrl;
use tenantry_usecases::doctor::Symptom;

use super::{Cure, Finding};
use crate::data_dir;
use crate::settings::Settings;

/// What is wrong with the files, and whether the installation can be put together with them as they are.
pub(super) fn findings(settings: &Settings) -> (Vec<Finding>, bool) {
    let mut findings = Vec::new();
    let directory = &settings.data_dir;
    let needed = settings.secret_key.is_none() || matches!(settings.stores.url, DatabaseUrl::Sqlite(_));
    if needed && !directory.is_dir() {
        let next = "name the right one with --data-dir or TENANTRY_DATA_DIR, or put it back from your backup";
        let missing =
            Symptom::error("data_dir_missing", place(directory), "there is no such directory", next);
        return (vec![missing.into()], false);
    }
    if needed {
        if let Err(failure) = data_dir::prepare(directory) {
            let (what, next) = failure.parts();
            let next = next.unwrap_or("give this user the right to it");
            let unwritable = Symptom::error("data_dir_unwritable", place(directory), what.join("; "), next);
            return (vec![unwritable.into()], false);
        }
        findings.extend(loose(directory, "loose_data_dir"));
    }
    let usable = settings.secret_key.is_some() || key(directory, &mut findings);
    if findings.is_empty() {
        findings.push(Symptom::ok("files", place(directory), "for its owner alone, and writable").into());
    }
    (findings, usable)
}

/// The key in the directory; false if there is none that can be used.
fn key(directory: &Path, findings: &mut Vec<Finding>) -> bool {
    let path = data_dir::secret_key(directory);
    let next = "put the right file back from your backup, or set TENANTRY_SECRET_KEY: another key makes tokens and secrets \
                that are there already unusable";
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("the secret key cannot be read: {error}");
            findings.push(Symptom::error("secret_key_missing", place(&path), what, next).into());
            return false;
        }
    };
    findings.extend(loose(&path, "loose_secret_key"));
    match MasterKey::from_base64(&text) {
        Ok(key) => {
            findings.extend(made_up(&key, place(&path)));
            true
        }
        Err(error) => {
            findings
                .push(Symptom::error("secret_key_unusable", place(&path), error.to_string(), next).into());
            false
        }
    }
}

/// Whether the key is one that others could think of as well.
pub(super) fn made_up(key: &MasterKey, place: String) -> Option<Finding> {
    let what = "the secret key looks made up: it is a text, or hardly has different bytes";
    let next = "take one from `head -c 32 /dev/urandom | base64`, keep this one in TENANTRY_PREVIOUS_SECRET_KEYS, and run \
                `tenantry keys rewrap`";
    key.looks_made_up().then(|| Symptom::warning("weak_secret_key", place, what, next).into())
}

fn loose(path: &Path, code: &'static str) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let what = format!("other users of this machine may reach into it (mode {mode:03o})");
        let next = format!("chmod go= {}", path.display());
        Finding::from(Symptom::warning(code, place(path), what, next)).with(Cure::Tighten(path.to_owned()))
    })
}

/// Takes every right from everybody but the owner.
pub(super) fn tighten(path: &Path) -> io::Result<String> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o700;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(format!("mode {mode:03o}"))
}

fn place(path: &Path) -> String {
    path.display().to_string()
}
