use std::path::PathBuf;

use clap::{Args, Subcommand};
use tenantry_domain::people::{Email, Username};
use tenantry_domain::tenant::{ClusterName, Plan, Slug, Status, TenantName};

#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// List tenants, newest first
    List(ListTenants),
    /// Show a tenant with its history
    Show(ShowTenant),
    /// Make a tenant, and wait until it is ready
    Create(CreateTenant),
    /// Refuse a tenant's calls from now on; its data stays
    Suspend(ChangeTenant),
    /// Let a suspended tenant work again
    Resume(ChangeTenant),
    /// Try to provision a failed tenant again
    Retry(WorkTenant),
    /// Delete a tenant: its database is dropped once a grace period is over
    Delete(DeleteTenant),
    /// Take a deletion back, as long as the database is not being dropped
    Restore(ChangeTenant),
    /// Write everything that is a tenant's to a file, to keep or to import elsewhere
    Export(ExportTenant),
    /// Make a tenant from an exported file
    Import(ImportTenant),
}

#[derive(Debug, Args)]
pub(crate) struct ListTenants {
    /// Only those in this state, as in Active
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<Status>,
    /// Only those with this plan: Basic, Premium or Enterprise
    #[arg(long)]
    pub(crate) plan: Option<Plan>,
    /// Only those whose name or slug contains this
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// At most so many; all, if not given
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowTenant {
    /// Which tenant
    #[arg(value_name = "SLUG|ID")]
    pub(crate) tenant: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CreateTenant {
    /// Its name in URLs: a-z, 0-9 and -, 3 to 50 characters
    pub(crate) slug: Slug,
    /// The company's name; the slug, if not given
    #[arg(long)]
    pub(crate) name: Option<TenantName>,
    /// What it pays for: Basic, Premium or Enterprise
    #[arg(long, default_value = "Basic")]
    pub(crate) plan: Plan,
    /// Whom to tell when it is ready; with an admin, that is the admin
    #[arg(long, value_name = "EMAIL", conflicts_with = "admin_email")]
    pub(crate) contact_email: Option<Email>,
    /// On which server its database is made; else where its plan belongs, or where there are the fewest
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<ClusterName>,
    /// Make a first admin with this address
    #[arg(long, value_name = "EMAIL")]
    pub(crate) admin_email: Option<Email>,
    /// The admin's user name; made from the address, if not given
    #[arg(long, value_name = "NAME", requires = "admin_email")]
    pub(crate) admin_username: Option<Username>,
    /// Read the admin's password from standard input; else one is made, and printed this once
    #[arg(long, requires = "admin_email")]
    pub(crate) password_stdin: bool,
    /// Leave the work to running workers, and do not wait for it
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeTenant {
    /// Which tenant
    #[arg(value_name = "SLUG|ID")]
    pub(crate) tenant: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WorkTenant {
    #[command(flatten)]
    pub(crate) change: ChangeTenant,
    /// Leave the work to running workers, and do not wait for it
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteTenant {
    #[command(flatten)]
    pub(crate) work: WorkTenant,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Drop the database now, without the grace period: there is no way back
    #[arg(long)]
    pub(crate) immediately: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportTenant {
    /// Which tenant
    #[arg(value_name = "SLUG|ID")]
    pub(crate) tenant: String,
    /// The file to make; - is standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print JSON; for - to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportTenant {
    /// The file that `tenants export` made
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Its slug; the one it was exported with, if not given
    #[arg(long)]
    pub(crate) slug: Option<Slug>,
    /// On which server its database is made; else where its plan belongs, or where there are the fewest
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<ClusterName>,
    /// Only verify the file
    #[arg(long, conflicts_with_all = ["slug", "cluster"])]
    pub(crate) check: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn status(text: &str) -> Result<Status, String> {
    let named = Status::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
    let all = || Status::ALL.map(Status::as_str).join(", ");
    named.ok_or_else(|| format!("there is no such state; there are {}", all()))
}
