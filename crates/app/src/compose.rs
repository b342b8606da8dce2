//! The composition root: the one place where ports meet the adapters behind them.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_http_actix::{Access as DocumentedAccess, Doors};
use tenantry_outbound_reqwest::SiteverifyCaptcha;
use tenantry_ports::{KeyMint, StoreError};
use tenantry_security::{
    ApiKeyMint, Argon2Passwords, MasterKey, Sha256Digest, SignedTokens, SystemClock, SystemEntropy,
    SystemIds, ValicoCheck,
};
use tenantry_store_diesel::{DatabaseUrl, OpenError, Stores};
use tenantry_usecases::configs::ConfigCache;
use tenantry_usecases::{Platform, Policy};
use tenantry_worker::Bell;

use crate::data_dir;
use crate::failure::Failure;
use crate::operator_key::{self, GivenKeyMint};
use crate::settings::{Access, Settings};

/// Everything that was put together.
pub(crate) struct Installation {
    pub(crate) platform: Arc<Platform>,
    pub(crate) stores: Arc<Stores>,
    /// Rings when there is work for the worker.
    pub(crate) bell: Arc<Bell>,
    /// Where the master key was written to, if it was made just now.
    pub(crate) new_key: Option<PathBuf>,
}

/// Puts everything together: makes what is missing (directory, key, control database) and brings the control database up
/// to date.
pub(crate) fn open(settings: &Settings) -> Result<Installation, Failure> {
    let stores = open_stores(settings)?;
    let (master, new_key) = master_key(settings)?;
    stores.migrate_control().map_err(|error| store_failure(&error))?;
    let stores = Arc::new(stores);
    let bell = Arc::new(Bell::default());
    let entropy = Arc::new(SystemEntropy);
    let passwords = Argon2Passwords::new(settings.auth.argon2, entropy.clone())
        .map_err(|error| Failure::new(error, "change auth.argon2_memory and auth.argon2_passes"))?;
    let platform = Platform {
        control: stores.control(),
        stores: stores.tenants(),
        databases: stores.databases(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        digest: Arc::new(Sha256Digest),
        tokens: Arc::new(SignedTokens::new(&master)),
        passwords: Arc::new(passwords),
        keys: key_mint(settings, entropy.clone()),
        schemas: Arc::new(ValicoCheck),
        nudge: bell.clone(),
        policy: policy(settings),
        configs: ConfigCache::default(),
        entropy,
    };
    Ok(Installation { platform: Arc::new(platform), stores, bell, new_key })
}

/// Opens the databases; a SQLite control database is made if it is not there.
pub(crate) fn open_stores(settings: &Settings) -> Result<Stores, Failure> {
    prepare_directories(settings)?;
    Stores::open(&settings.stores).map_err(|error| match error {
        OpenError::Connect { .. } => Failure::new(
            error,
            "start PostgreSQL, or correct TENANTRY_DATABASE_URL; sqlite:PATH needs no server",
        ),
        OpenError::File(_) => {
            Failure::new(error, "name a file that can be made and written to, in TENANTRY_DATABASE_URL")
        }
        OpenError::TooOld { .. } => Failure::new(error, "upgrade it"),
        OpenError::Store(error) => store_failure(&error),
    })
}

/// With a database server and a key that is given, nothing is written to the disk at all.
fn prepare_directories(settings: &Settings) -> Result<(), Failure> {
    if let DatabaseUrl::Sqlite(path) = &settings.stores.url {
        data_dir::prepare(&settings.data_dir)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => data_dir::prepare(parent),
            _ => Ok(()),
        }
    } else if settings.secret_key.is_none() {
        data_dir::prepare(&settings.data_dir)
    } else {
        Ok(())
    }
}

fn master_key(settings: &Settings) -> Result<(MasterKey, Option<PathBuf>), Failure> {
    match &settings.secret_key {
        Some(text) => {
            let key = MasterKey::from_base64(text.expose());
            key.map(|key| (key, None)).map_err(|error| Failure::new(error, "set another TENANTRY_SECRET_KEY"))
        }
        None => {
            let stored = data_dir::master_key(&settings.data_dir)?;
            Ok((stored.key, stored.is_new.then_some(stored.path)))
        }
    }
}

fn key_mint(settings: &Settings, entropy: Arc<SystemEntropy>) -> Arc<dyn KeyMint> {
    let mint = ApiKeyMint::new(entropy);
    match &settings.operator_key {
        Some(key) => Arc::new(GivenKeyMint { mint, given: operator_key::parts(key) }),
        None => Arc::new(mint),
    }
}

/// Who may order a tenant, with what it takes to find that out.
pub(crate) fn doors(settings: &Settings) -> Result<Doors, Failure> {
    Ok(match &settings.provisioning.access {
        Access::Open => Doors::Open,
        Access::Operator => Doors::Operator,
        Access::Captcha(captcha) => {
            // The settings were checked; what is left is that this machine trusts nobody.
            let captcha = SiteverifyCaptcha::new(captcha.clone()).map_err(|error| {
                Failure::new(
                    error,
                    "install the system's CA certificates, or name a file of them in SSL_CERT_FILE",
                )
            })?;
            Doors::Captcha(Arc::new(captcha))
        }
    })
}

/// The same, for those who only talk about it.
pub(crate) fn access(settings: &Settings) -> DocumentedAccess {
    match settings.provisioning.access {
        Access::Open => DocumentedAccess::Open,
        Access::Operator => DocumentedAccess::Operator,
        Access::Captcha(_) => DocumentedAccess::Captcha,
    }
}

fn policy(settings: &Settings) -> Policy {
    // Settings have upper limits far below what this could not hold.
    let delta = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    Policy {
        database_prefix: settings.database_prefix.clone(),
        passwords: settings.auth.passwords,
        access_token_ttl: delta(settings.auth.access_token_ttl),
        refresh_token_ttl: delta(settings.auth.refresh_token_ttl),
        lease: delta(settings.provisioning.lease),
        idempotency_retention: delta(settings.idempotency_retention),
        ..Policy::default()
    }
}

/// What a store's error means to whoever started the program.
pub(crate) fn store_failure(error: &StoreError) -> Failure {
    let next = match error {
        StoreError::Unavailable(_) => {
            "start the database server, or correct TENANTRY_DATABASE_URL (`tenantry config show` prints it)"
        }
        StoreError::Corrupt { .. } => {
            "this database was changed by something else, or by a newer version: use that one"
        }
        _ => "see the message; with TENANTRY_LOG=debug more is logged",
    };
    Failure::new(error, next)
}
