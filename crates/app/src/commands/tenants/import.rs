//! `tenants import`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_usecases::Platform;
use tenantry_usecases::transfer::{self, ImportError, ImportTenant, Verified, VerifyError};

use super::export::{as_json, contents};
use super::settle::settle;
use super::{as_json as tenant_as_json, standing};
use crate::cli::ImportTenant as Wish;
use crate::commands::{print, print_json};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Makes a tenant from an archive that was found whole.
pub(super) fn import(platform: &Platform, wish: Wish) -> Result<(), Failure> {
    let archive = transfer::verify(platform, open(&wish.file)?).map_err(|error| flawed(error, &wish.file))?;
    if wish.check {
        return match wish.json {
            true => print_json(&as_json(&archive.trailer)),
            false => print(&format!("{} is whole: {}\n", wish.file.display(), contents(&archive.trailer))),
        };
    }
    let command = ImportTenant { slug: wish.slug, cluster: wish.cluster };
    let id = transfer::begin(platform, &archive, command).map_err(|error| refused(error, &wish.file))?;
    let provisioned = settle(platform, id)?;
    if let Lifecycle::Failed { .. } = provisioned.lifecycle {
        let what = format!("the tenant could not be provisioned: {}", standing(&provisioned));
        return Err(Failure::new(what, "see to the cause, then run the import again"));
    }
    let tenant = load(platform, id, &archive, &wish.file)?;
    if wish.json {
        return print_json(&tenant_as_json(platform, &tenant)?);
    }
    print(&format!("{} is {}: {}\n", tenant.slug, standing(&tenant), contents(&archive.trailer)))?;
    eprintln!("Its people sign in with their passwords; its machines need new keys: `tenantry keys create`.");
    Ok(())
}

/// Loads the archive, or takes the tenant away again; what may succeed later is left as it is.
fn load(platform: &Platform, id: TenantId, archive: &Verified, file: &Path) -> Result<Tenant, Failure> {
    let input = File::open(file).map(BufReader::new).map_err(ImportError::Read);
    let error = match input.and_then(|input| transfer::complete(platform, id, archive, input)) {
        Ok(tenant) => return Ok(tenant),
        Err(error) => error,
    };
    let keeps = error.may_pass() || matches!(error, ImportError::NotWaiting | ImportError::InUse);
    if !keeps {
        let gone = transfer::abandon(platform, id).map_err(|error| error.to_string());
        let gone = gone.and_then(|_| settle(platform, id).map_err(|failure| failure.to_string()));
        if let Err(why) = gone {
            let what = format!("{error}; and what was made of the tenant is still there: {why}");
            return Err(Failure::new(
                what,
                format!("`tenantry tenants delete {id} --immediately` removes it"),
            ));
        }
    }
    Err(refused(error, file))
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path).map(BufReader::new).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("{} cannot be read: {error}", path.display());
    Failure::new(what, "name a file that `tenantry tenants export` made; it is read twice, so no pipe")
}

fn flawed(error: VerifyError, path: &Path) -> Failure {
    match error {
        VerifyError::Read(error) => unreadable(path, &error),
        VerifyError::Flawed(flaws) => {
            let what = flaws.iter().map(|flaw| format!("{}, {flaw}", path.display())).collect();
            Failure::several(what, "export the tenant again, or copy the file again; nothing was imported")
        }
    }
}

fn refused(error: ImportError, path: &Path) -> Failure {
    match error {
        ImportError::SlugTaken(_) => Failure::new(error, "choose another one with --slug"),
        ImportError::UnknownCluster(_) => {
            Failure::new(error, "name one of tenant_databases.clusters, or leave --cluster out")
        }
        ImportError::NotWaiting | ImportError::NotReady(_) => {
            Failure::new(error, "somebody else was at it: see where it stands with `tenantry tenants list`")
        }
        ImportError::InUse => {
            Failure::new(error, "import under another slug, or delete that tenant first if it is not wanted")
        }
        ImportError::Changed => {
            Failure::new(error, "nothing was imported; run it again with a file that nobody writes to")
        }
        ImportError::Read(error) => unreadable(path, &error),
        ImportError::Store(ref cause) if error.may_pass() => {
            Failure::new(cause, "run the same import again: it carries on where this one stopped")
        }
        ImportError::Store(error) => store_failure(&error),
    }
}
