//! What the `keys` commands take that look after keys there are.

use std::time::Duration;

use clap::Args;
use tenantry_domain::id::ApiKeyId;

use super::Owner;
use crate::settings;

#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// The key's id, as `keys list` shows it
    #[arg(value_name = "KEY_ID")]
    pub(crate) id: ApiKeyId,
    /// How long the old key still works, as in 30m or 7d; 0s: not at all; 30d at most
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = settings::duration)]
    pub(crate) overlap: Duration,
    /// Print the new key and nothing else
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListSigning {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RotateSigning {
    /// How long the new key is published before it signs, so that everybody who checks tokens has it by then
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = settings::duration)]
    pub(crate) lead: Duration,
    /// Somebody may have got hold of the old one: the new key signs at once, and what any other has signed is refused
    #[arg(long, conflicts_with = "lead")]
    pub(crate) compromised: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
