#![doc = include_str!("../README.md")]

mod cli;
mod commands;
mod compose;
#[cfg(debug_assertions)]
mod crash_points;
mod data_dir;
mod endpoints;
mod failure;
mod logging;
mod operator_key;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::{AccountConfig, Cli, Command, Common, Config, Keys, Serve};
use crate::commands::{
    account_config, audit, config, doctor, keys, migrate, notices, openapi, rewrap, serve, signing_keys,
    tenants,
};
use crate::failure::Failure;
use crate::settings::{Environment, Flags, Layers, Settings};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let sources = Sources { common: cli.common, environment: settings::of_process() };
    match cli.command.unwrap_or_else(|| Command::Serve(Serve::default())) {
        Command::Serve(wish) => {
            let bind = wish.bind.map(|address| ("server.bind", address, "--bind"));
            let settings = sources.settings(bind.into_iter().collect())?;
            let _lines = logging::start(&settings.log)?;
            serve::serve(&settings, wish.role)
        }
        Command::Migrate(wish) => migrate::migrate(&sources.tool_settings()?, &wish),
        Command::Keys(wish) => {
            let settings = sources.tool_settings()?;
            let installation = compose::open(&settings)?;
            let platform = &installation.platform;
            match wish {
                Keys::Create(wish) => keys::create(platform, wish),
                Keys::List(wish) => keys::list(platform, &wish),
                Keys::Rotate(wish) => keys::rotate(platform, &wish),
                Keys::Revoke(wish) => keys::revoke(platform, &wish),
                Keys::Signing(wish) => signing_keys::list(platform, &wish),
                Keys::RotateSigning(wish) => signing_keys::rotate(platform, &wish),
                Keys::Rewrap(wish) => rewrap::rewrap(&installation, &settings, &wish),
            }
        }
        Command::Notices(wish) => {
            notices::notices(&compose::open(&sources.tool_settings()?)?.platform, &wish)
        }
        Command::Tenants(wish) => tenants::run(&sources.tool_settings()?, wish),
        Command::Audit(wish) => audit::audit(&compose::open(&sources.tool_settings()?)?.platform, &wish),
        Command::Doctor(wish) => doctor::doctor(&sources.layers(Vec::new())?, &wish),
        Command::Config(Config::Show { json }) => config::show(&sources.layers(Vec::new())?, json),
        Command::Config(Config::Check) => config::check(&sources.layers(Vec::new())?),
        Command::AccountConfig(AccountConfig::Validate { files, json }) => {
            account_config::validate(&files, json)
        }
        Command::AccountConfig(AccountConfig::Schema) => account_config::schema(),
        Command::Openapi => openapi::document(&sources.settings(Vec::new())?),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tenantry", &mut script);
            commands::print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Where settings come from.
struct Sources {
    common: Common,
    environment: Environment,
}

impl Sources {
    fn layers(&self, mut flags: Flags) -> Result<Layers, Failure> {
        let data_dir = self.common.data_dir.as_ref().map(|path| path.display().to_string());
        flags.extend(data_dir.map(|path| ("data_dir", path, "--data-dir")));
        settings::layers(self.common.config.as_deref(), &self.environment, &flags)
    }

    fn settings(&self, flags: Flags) -> Result<Settings, Failure> {
        Settings::read(&self.layers(flags)?).map_err(|problems| settings::failure(&problems))
    }

    /// For a command whose result is what it prints.
    fn tool_settings(&self) -> Result<Settings, Failure> {
        let settings = self.settings(Vec::new())?;
        logging::start_quiet(&settings.log)?;
        Ok(settings)
    }
}
