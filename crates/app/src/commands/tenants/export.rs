//! `tenants export`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenantry_domain::tenant::Tenant;
use tenantry_usecases::Platform;
use tenantry_usecases::transfer::{self, ExportError, Exported, Kind, Trailer};

use super::tenant;
use crate::cli::ExportTenant;
use crate::commands::{print, print_json};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Writes a tenant's archive: a whole one, or none.
pub(super) fn export(platform: &Platform, wish: &ExportTenant) -> Result<(), Failure> {
    let tenant = tenant(platform, &wish.tenant)?;
    let to_stdout = wish.file.as_os_str() == "-";
    let exported = match to_stdout {
        true => write(platform, &tenant, &mut BufWriter::new(io::stdout().lock()), &wish.file)?,
        false => to_file(platform, &tenant, &wish.file)?,
    };
    match (to_stdout, wish.json) {
        (true, true) => eprintln!("{:#}", as_json(&exported.trailer)),
        (true, false) => eprintln!("{}: {}", tenant.slug, contents(&exported.trailer)),
        (false, true) => print_json(&as_json(&exported.trailer))?,
        (false, false) => {
            let file = wish.file.display();
            print(&format!("{}: {} written to {file}\n", tenant.slug, contents(&exported.trailer)))?;
        }
    }
    eprintln!("The archive holds the hashes of passwords: keep it as secret as a backup.");
    match exported.broken_at {
        None => Ok(()),
        Some(sequence) => Err(Failure::new(
            format!(
                "entry {sequence} of {}'s event log does not follow from the one before it: somebody has changed the log",
                tenant.slug
            ),
            "keep the archive as evidence and look for the cause; it cannot be imported",
        )),
    }
}

/// Under another name first, so that nobody ever sees half an archive. What is there is never replaced.
fn to_file(platform: &Platform, tenant: &Tenant, path: &Path) -> Result<Exported, Failure> {
    let taken = || {
        Failure::new(format!("{} is there already", path.display()), "name a file that does not exist yet")
    };
    if path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let draft = draft_of(path);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
    let file = made.map_err(|error| unwritable(path, &error))?;
    let outcome = fill(platform, tenant, path, file).and_then(|exported| {
        // Unlike a rename, a link never replaces.
        match fs::hard_link(&draft, path) {
            Ok(()) => Ok(exported),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken()),
            Err(error) => Err(unwritable(path, &error)),
        }
    });
    // Whichever it was, its draft is no use any more.
    let _ = fs::remove_file(&draft);
    let exported = outcome?;
    let directory = draft.parent().unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|e| unwritable(path, &e))?;
    Ok(exported)
}

fn fill(platform: &Platform, tenant: &Tenant, path: &Path, file: File) -> Result<Exported, Failure> {
    let mut out = BufWriter::new(file);
    let exported = write(platform, tenant, &mut out, path)?;
    let file = out.into_inner().map_err(|error| unwritable(path, error.error()))?;
    file.sync_all().map_err(|error| unwritable(path, &error))?;
    Ok(exported)
}

fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    directory.unwrap_or(Path::new(".")).join(format!(".{name}-{}", std::process::id()))
}

fn write(
    platform: &Platform,
    tenant: &Tenant,
    out: &mut dyn Write,
    path: &Path,
) -> Result<Exported, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    transfer::export(platform, tenant, version, out).map_err(|error| {
        let slug = &tenant.slug;
        match error {
            ExportError::NotReady(_) => Failure::new(
                format!("{slug}: {error}"),
                "a tenant is exported while it is Active, Suspended, or Deprovisioning with its grace period not over",
            ),
            ExportError::Outdated(_) => {
                Failure::new(format!("{slug}: {error}"), format!("run `tenantry migrate --only {slug}` first"))
            }
            ExportError::Database(error) => {
                Failure::new(error, "run `tenantry doctor`; it says what is wrong with the database")
            }
            ExportError::Write(error) => unwritable(path, &error),
            ExportError::Store(error) => store_failure(&error),
        }
    })
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("{} cannot be written: {error}", path.display());
    Failure::new(what, "look at the directory, its rights and the space there is, or name another file")
}

/// What is in it, in words.
pub(super) fn contents(trailer: &Trailer) -> String {
    let count = |kind| trailer.count(kind);
    format!(
        "{} users, {} config versions, {} accounts, {} events",
        count(Kind::User),
        count(Kind::Config),
        count(Kind::Account),
        count(Kind::Event)
    )
}

/// What is in it, for programs.
pub(super) fn as_json(trailer: &Trailer) -> Value {
    json!({ "records": trailer.records, "lines": trailer.lines, "sha256": trailer.sha256 })
}
