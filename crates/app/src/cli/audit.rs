use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Look whether event logs are what was written: exits with 1 and names the first bad entry if one is not
    Verify(VerifyLogs),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyLogs {
    /// Only this tenant's log
    #[arg(long, value_name = "SLUG|ID")]
    pub(crate) tenant: Option<String>,
    /// Only the platform's own log
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) platform: bool,
    /// Compare with the signed statements in this file, too, whatever else is in it: a server's log, or what a tenant kept
    #[arg(long, value_name = "FILE")]
    pub(crate) heads: Vec<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}
