//! The command line.

mod audit;
mod fleet;
mod keys;
mod tenants;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tenantry_domain::id::EventId;

pub(crate) use self::audit::{Audit, VerifyLogs};
pub(crate) use self::fleet::{Doctor, Migrate};
pub(crate) use self::keys::{ListSigning, Rewrap, RotateKey, RotateSigning};
pub(crate) use self::tenants::{
    ChangeTenant, CreateTenant, DeleteTenant, ExportTenant, ImportTenant, ListTenants, ShowTenant, Tenants,
    WorkTenant,
};

/// A control plane for trading-account tenants: API, worker and migrations in one binary.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  tenantry                                           start a server with everything it needs under ./data
  tenantry serve --bind 127.0.0.1:8080 --role api    API only; workers run elsewhere
  tenantry keys create --tenant acme --scopes accounts:read,accounts:write --name website
  tenantry tenants create acme --name 'Acme Ltd' --admin-email admin@acme.example
  tenantry migrate --dry-run                         which tenants' databases are behind
  tenantry doctor --fix                              find what is wrong, and put it right
  tenantry account-config validate my-config.json

Exit status: 0 done, 1 failed, 2 wrong usage. Settings: see `tenantry config show`.";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// File with settings; also TENANTRY_CONFIG
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of databases and keys; also TENANTRY_DATA_DIR
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server (what happens without a command, too)
    Serve(Serve),
    /// Bring the control database and every tenant's up to date
    Migrate(Migrate),
    /// List, show, make and change tenants
    #[command(subcommand)]
    Tenants(Tenants),
    /// Make, list, replace and revoke API keys; look after signing keys and the secret key
    #[command(subcommand)]
    Keys(Keys),
    /// Look after the event logs
    #[command(subcommand)]
    Audit(Audit),
    /// Find what is wrong with the installation, and put it right
    Doctor(Doctor),
    /// List what was told outside, or is going to be: mails and webhook calls
    Notices(Notices),
    /// Look at the settings
    #[command(subcommand)]
    Config(Config),
    /// Work on account configs without a server
    #[command(subcommand)]
    AccountConfig(AccountConfig),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Print a script that completes commands, for this shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct Serve {
    /// What this process does
    #[arg(long, value_enum, default_value_t)]
    pub(crate) role: Role,
    /// Address and port to listen on; also TENANTRY_BIND
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) bind: Option<String>,
}

/// What a server process does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Answer requests and provision tenants
    #[default]
    All,
    /// Answer requests
    Api,
    /// Provision tenants
    Worker,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key; it is shown this once
    Create(CreateKey),
    /// List keys, revoked and expired ones included
    List(ListKeys),
    /// Replace a key by a new one, which is shown this once; the old one works for a while beside it
    Rotate(RotateKey),
    /// Revoke a key, at once
    Revoke(RevokeKey),
    /// List the keys that machines' tokens are signed with
    Signing(ListSigning),
    /// Replace the key that machines' tokens are signed with
    RotateSigning(RotateSigning),
    /// Carry over to TENANTRY_SECRET_KEY what hangs on TENANTRY_PREVIOUS_SECRET_KEYS; goes on where it was stopped
    Rewrap(Rewrap),
}

/// Whose keys.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Owner {
    /// The platform operator's
    #[arg(long)]
    pub(crate) operator: bool,
    /// This tenant's
    #[arg(long, value_name = "SLUG|ID")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// What a tenant's key may do, as in accounts:read,accounts:write
    #[arg(long, value_delimiter = ',', value_name = "SCOPES", conflicts_with = "operator")]
    pub(crate) scopes: Vec<tenantry_ports::Scope>,
    /// What it is for, in your words
    #[arg(long, default_value = "made on the command line")]
    pub(crate) name: String,
    /// When it stops working, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Print the key and nothing else
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListKeys {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeKey {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// The key's id, as `keys list` shows it
    #[arg(value_name = "KEY_ID")]
    pub(crate) id: tenantry_domain::id::ApiKeyId,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Notices {
    #[command(subcommand)]
    pub(crate) action: Option<NoticesAction>,
    /// Only those that are pending, delivered or given-up
    #[arg(long, value_name = "STATUS", value_parser = notice_status)]
    pub(crate) status: Option<tenantry_ports::NoticeStatus>,
    /// Only this tenant's
    #[arg(long, value_name = "SLUG|ID")]
    pub(crate) tenant: Option<String>,
    /// How many, the newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticesAction {
    /// Have what was given up sent again, at once
    Resend(ResendNotices),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ResendNotices {
    /// The notices of this event, as the list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: Option<EventId>,
    /// Everything that was given up
    #[arg(long)]
    pub(crate) given_up: bool,
}

fn notice_status(text: &str) -> Result<tenantry_ports::NoticeStatus, String> {
    tenantry_ports::NoticeStatus::parse(text)
        .ok_or_else(|| "there are pending, delivered and given-up".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting, its value and where that comes from; secrets are masked
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge the settings; exits with 1 if a server would not start with them
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountConfig {
    /// Check account configs as an upload would; a config may inherit from others given with it
    Validate {
        /// Files to check; - is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema (draft 7) of account configs
    Schema,
}
