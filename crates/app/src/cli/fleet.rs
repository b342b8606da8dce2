use std::num::NonZeroUsize;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Only say which databases are behind, and what they have
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only this tenant's database (and the control database)
    #[arg(long, value_name = "SLUG|ID", conflicts_with_all = ["canary", "verify"])]
    pub(crate) only: Option<String>,
    /// The tenant whose database has to succeed before the others are begun; else the first one
    #[arg(long, value_name = "SLUG|ID")]
    pub(crate) canary: Option<String>,
    /// Databases to work on at a time, each over one connection
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) jobs: NonZeroUsize,
    /// Look into every database instead of trusting the notes of what each one has
    #[arg(long)]
    pub(crate) verify: bool,
    /// Print JSON lines, as when the output is not a terminal
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Put right what can be put right safely
    #[arg(long)]
    pub(crate) fix: bool,
    /// Databases to migrate at a time, if that is needed
    #[arg(long, value_name = "N", default_value = "4", requires = "fix")]
    pub(crate) jobs: NonZeroUsize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
