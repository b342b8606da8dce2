//! The composition root: the one place where ports meet the adapters behind them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;
use tenantry_http_actix::{Access as DocumentedAccess, Doors, Tails, Watch};
use tenantry_outbound_lettre::SmtpMailer;
use tenantry_outbound_reqwest::{HttpWebhooks, SiteverifyCaptcha};
use tenantry_ports::{Clock, Hired, KeyMint, Nudge, Secret, StoreError};
use tenantry_security::{
    ApiKeyMint, Argon2Passwords, DatabaseLogins, DerivedMacs, Es256Tokens, MasterKey, SealingBox,
    Sha256Digest, SignedTokens, StandardWebhooks, SystemClock, SystemEntropy, SystemIds, ValicoCheck,
};
use tenantry_store_diesel::{DatabaseUrl, LoginPasswords, OpenError, StoreSettings, Stores};
use tenantry_usecases::api_keys::KeyUses;
use tenantry_usecases::configs::ConfigCache;
use tenantry_usecases::days::NotedLooks;
use tenantry_usecases::master_keys::MasterKeyNames;
use tenantry_usecases::notices::{Channels, MailChannel, WebhookChannel};
use tenantry_usecases::signatures::Signers;
use tenantry_usecases::signing_keys::Keyring;
use tenantry_usecases::tenants::Placement;
use tenantry_usecases::webhooks::Marking;
use tenantry_usecases::{Platform, Policy};
use tenantry_worker::{Bell, DeliveryBell, MovedLogs, NoticeBells};

use crate::data_dir;
use crate::endpoints;
use crate::failure::Failure;
use crate::operator_key::{self, GivenKeyMint};
use crate::settings::{Access, MailSettings, Server, Settings, WebhookSettings};

/// Everything that was put together.
pub(crate) struct Installation {
    pub(crate) platform: Arc<Platform>,
    pub(crate) stores: Arc<Stores>,
    /// Rings when there is work for the worker.
    pub(crate) bell: Arc<Bell>,
    /// Ring when there is something to tell outside.
    pub(crate) notice_bells: Arc<NoticeBells>,
    /// Rings when there is something to deliver to tenants' webhook endpoints.
    pub(crate) delivery_bell: Arc<DeliveryBell>,
    /// Wakes who waits for a tenant.
    pub(crate) watch: Arc<Watch>,
    /// Follow the event logs that somebody listens to.
    pub(crate) tails: Arc<Tails>,
    /// Whose event logs have moved since somebody signed how far they have come.
    pub(crate) moved: Arc<MovedLogs>,
    /// Where the master key was written to, if it was made just now.
    pub(crate) new_key: Option<PathBuf>,
}

/// Puts everything together: makes what is missing (directory, key, control database) and brings the control database up
/// to date.
pub(crate) fn open(settings: &Settings) -> Result<Installation, Failure> {
    let installation = assemble(settings)?;
    installation.stores.migrate_control().map_err(|error| store_failure(&error))?;
    Ok(installation)
}

/// Puts everything together and leaves the control database as it is, however old.
pub(crate) fn assemble(settings: &Settings) -> Result<Installation, Failure> {
    prepare_directories(settings)?;
    let (keys, new_key) = MasterKeys::of(settings)?;
    let stores = Arc::new(open_stores(settings, &keys)?);
    let (bell, notice_bells) = (Arc::<Bell>::default(), Arc::<NoticeBells>::default());
    let (watch, tails) = (Arc::new(Watch::default()), Arc::new(Tails::default()));
    let (delivery_bell, moved) = (Arc::<DeliveryBell>::default(), Arc::<MovedLogs>::default());
    let nudge = Arc::new(Nudges {
        bell: bell.clone(),
        notice_bells: notice_bells.clone(),
        delivery_bell: delivery_bell.clone(),
        watch: watch.clone(),
        tails: tails.clone(),
        moved: moved.clone(),
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    #[cfg(debug_assertions)]
    let clock = crate::crash_points::set(clock)?;
    let marking = Marking::new(stores.tenants(), stores.control(), clock.clone(), nudge.clone());
    let entropy = Arc::new(SystemEntropy);
    let passwords = Argon2Passwords::new(settings.auth.argon2, entropy.clone())
        .map_err(|error| Failure::new(error, "change auth.argon2_memory and auth.argon2_passes"))?;
    let platform = Platform {
        control: stores.control(),
        stores: Arc::new(marking),
        databases: stores.databases(),
        clock,
        ids: Arc::new(SystemIds),
        digest: Arc::new(Sha256Digest),
        tokens: Arc::new(keys.former.iter().fold(SignedTokens::new(&keys.current), SignedTokens::accepting)),
        macs: Arc::new(keys.former.iter().fold(DerivedMacs::new(&keys.current), DerivedMacs::accepting)),
        machine_tokens: Arc::new(Es256Tokens::new(keys.sealing(entropy.clone()))),
        sealing: Arc::new(keys.sealing(entropy.clone())),
        passwords: Arc::new(passwords),
        keys: key_mint(settings, entropy.clone()),
        schemas: Arc::new(ValicoCheck),
        nudge,
        channels: channels(settings)?,
        endpoints: endpoints::calls(settings, entropy.clone()),
        policy: Policy { master_keys: keys.names(), ..policy(settings) },
        configs: ConfigCache::default(),
        key_uses: KeyUses::default(),
        keyring: Keyring::default(),
        looks: NotedLooks::default(),
        entropy,
    };
    #[cfg(debug_assertions)]
    let platform = crate::crash_points::plant(platform)?;
    Ok(Installation {
        platform: Arc::new(platform),
        stores,
        bell,
        notice_bells,
        delivery_bell,
        watch,
        tails,
        moved,
        new_key,
    })
}

/// Whom to tell in this process that something has happened.
struct Nudges {
    bell: Arc<Bell>,
    notice_bells: Arc<NoticeBells>,
    delivery_bell: Arc<DeliveryBell>,
    watch: Arc<Watch>,
    tails: Arc<Tails>,
    moved: Arc<MovedLogs>,
}

impl Nudge for Nudges {
    fn runs_are_due(&self) {
        self.bell.runs_are_due();
    }

    fn notices_are_due(&self) {
        self.notice_bells.notices_are_due();
    }

    fn tenant_changed(&self, tenant: TenantId) {
        self.watch.tenant_changed(tenant);
    }

    fn platform_log_moved(&self) {
        self.tails.platform_log_moved();
        self.moved.platform_log_moved();
    }

    fn log_moved(&self, tenant: TenantId) {
        self.delivery_bell.log_moved(tenant);
        self.tails.log_moved(tenant);
        self.moved.log_moved(tenant);
    }

    fn endpoint_added(&self, tenant: TenantId) {
        self.delivery_bell.endpoint_added(tenant);
    }

    fn hire(&self) -> Option<Box<dyn Hired>> {
        self.bell.hire()
    }
}

/// Opens the databases; a SQLite control database is made if it is not there.
fn open_stores(settings: &Settings, keys: &MasterKeys) -> Result<Stores, Failure> {
    let passwords = |key| {
        let passwords = DatabaseLogins::new(key);
        move |login| passwords.password(login)
    };
    let current = LoginPasswords::new(passwords(&keys.current));
    let logins = keys.former.iter().map(passwords).fold(current, LoginPasswords::or_formerly);
    let logins = settings.own_logins.then_some(logins);
    Stores::open(&StoreSettings { logins, ..settings.stores.clone() }).map_err(|error| match error {
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

/// The master key in force, and those that what was made before may hang on.
struct MasterKeys {
    current: MasterKey,
    former: Vec<MasterKey>,
}

impl MasterKeys {
    /// As the settings say; and the file of the one in force, if it was made just now.
    fn of(settings: &Settings) -> Result<(Self, Option<PathBuf>), Failure> {
        let (current, new_key) = master_key(settings)?;
        let read = |text: &Secret| MasterKey::from_base64(text.expose());
        let former: Result<Vec<_>, _> = settings.previous_secret_keys.iter().map(read).collect();
        let mut former =
            former.map_err(|error| Failure::new(error, "set other TENANTRY_PREVIOUS_SECRET_KEYS"))?;
        former.retain(|key| key.name() != current.name());
        Ok((Self { current, former }, new_key))
    }

    fn names(&self) -> MasterKeyNames {
        let others = self.former.iter().map(MasterKey::name).collect();
        MasterKeyNames { current: self.current.name(), others }
    }

    fn sealing(&self, entropy: Arc<SystemEntropy>) -> SealingBox {
        self.former.iter().fold(SealingBox::new(&self.current, entropy), SealingBox::accepting)
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
            let captcha = SiteverifyCaptcha::new(captcha.clone()).map_err(trusts_nobody)?;
            Doors::Captcha(Arc::new(captcha))
        }
        Access::Hmac { secrets, window } => {
            Doors::Hmac(Signers { secrets: Arc::new(secrets.clone()), window: delta(*window) })
        }
    })
}

/// The same, for those who only talk about it.
pub(crate) fn access(settings: &Settings) -> DocumentedAccess {
    match settings.provisioning.access {
        Access::Open => DocumentedAccess::Open,
        Access::Operator => DocumentedAccess::Operator,
        Access::Captcha(_) => DocumentedAccess::Captcha,
        Access::Hmac { window, .. } => DocumentedAccess::Hmac { window },
    }
}

/// Settings have upper limits far below what this could not hold.
fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// How the outside is told, with what it takes to do so.
fn channels(settings: &Settings) -> Result<Channels, Failure> {
    let mail = |mail: &MailSettings| {
        Ok(MailChannel {
            mailer: Arc::new(SmtpMailer::new(mail.smtp.clone()).map_err(trusts_nobody)?),
            link: mail.link.clone(),
            timeout: mail.timeout,
            longest_wait: mail.longest_wait,
        })
    };
    let webhook = |webhook: &WebhookSettings| {
        let plain = webhook.url.starts_with("http:");
        let sender = if plain { HttpWebhooks::of_this_machine() } else { HttpWebhooks::new() };
        Ok(WebhookChannel {
            sender: Arc::new(sender.map_err(trusts_nobody)?),
            signer: Arc::new(StandardWebhooks),
            url: webhook.url.clone(),
            secrets: webhook.secrets.clone(),
            timeout: webhook.timeout,
            longest_wait: webhook.longest_wait,
        })
    };
    let notifications = &settings.notifications;
    Ok(Channels {
        mail: notifications.mail.as_ref().map(mail).transpose()?,
        webhook: notifications.webhook.as_ref().map(webhook).transpose()?,
    })
}

fn trusts_nobody(error: impl ToString) -> Failure {
    Failure::new(
        error.to_string(),
        "install the system's CA certificates, or name a file of them in SSL_CERT_FILE",
    )
}

fn policy(settings: &Settings) -> Policy {
    Policy {
        database_prefix: settings.stores.prefix.clone(),
        passwords: settings.auth.passwords,
        access_token_ttl: delta(settings.auth.access_token_ttl),
        machine_token_ttl: delta(settings.auth.machine_token_ttl),
        public_url: public_url(&settings.server),
        refresh_token_ttl: delta(settings.auth.refresh_token_ttl),
        refresh_grace: delta(settings.auth.refresh_grace),
        session_lifetime: delta(settings.auth.session_lifetime),
        register_returns_token: settings.auth.register_returns_token,
        lease: delta(settings.provisioning.lease),
        deprovision_grace: delta(settings.provisioning.deprovision_grace),
        pool_size: settings.provisioning.pool_size,
        placement: placement(settings),
        plans: settings.plans,
        idempotency_retention: delta(settings.idempotency_retention),
        day_grace: delta(settings.day_grace),
        delivery_retention: delta(settings.delivery_retention),
        event_retention: settings.event_retention.map(delta),
        ..Policy::default()
    }
}

/// The URL that the API is reached under, as far as anybody said.
pub(crate) fn public_url(server: &Server) -> String {
    server.public_url.clone().unwrap_or_else(|| match server.bind.ip().is_unspecified() {
        true => format!("http://localhost:{}", server.bind.port()),
        false => format!("http://{}", server.bind),
    })
}

fn placement(settings: &Settings) -> Placement {
    let others = settings.stores.clusters.keys().cloned();
    let clusters = std::iter::once(ClusterName::default()).chain(others).collect();
    // The settings were checked: they send no tenants to where there is no server.
    Placement::new(clusters, settings.provisioning.by_plan.clone()).unwrap_or_default()
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
