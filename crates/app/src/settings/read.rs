//! What the settings mean: checked, in the types the rest of the program takes.

mod access;
mod limits;
mod machines;
mod notifications;
mod plans;
mod stores;
mod webhooks;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tenantry_domain::people::PasswordPolicy;
use tenantry_domain::tenant::{ClusterName, Plan, Plans};
use tenantry_http_actix::{RateLimits, TrustedProxies};
use tenantry_outbound_reqwest::SiteverifySettings;
use tenantry_ports::Secret;
use tenantry_security::{Argon2Cost, HmacSecrets};
use tenantry_store_diesel::StoreSettings;
use tracing_subscriber::EnvFilter;

pub(crate) use notifications::{MailSettings, Notifications, WebhookSettings};
pub(crate) use webhooks::Webhooks;

use self::machines::master_key;
use super::layers::Layers;
use super::value::{Value, duration, duration_text, size};
use super::{Origin, Problem};

/// Every setting. See `config/default.toml` for what each means.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) server: Server,
    /// How much is taken from one client address.
    pub(crate) rate_limits: RateLimits,
    /// How much tenants may have, by what they pay for.
    pub(crate) plans: Plans,
    /// Which part of its tenant's rate of requests one caller may have, in percent.
    pub(crate) caller_percent: u8,
    /// Where all databases are, and how much of them may be used.
    pub(crate) stores: StoreSettings,
    /// Whether every tenant's database has a login of its own.
    pub(crate) own_logins: bool,
    pub(crate) provisioning: Provisioning,
    pub(crate) auth: Auth,
    pub(crate) notifications: Notifications,
    /// How often it is signed how far event logs have come.
    pub(crate) heads_interval: Duration,
    /// How long events are kept; for ever if it does not say.
    pub(crate) event_retention: Option<Duration>,
    /// How long it is kept what was delivered to webhook endpoints.
    pub(crate) delivery_retention: Duration,
    pub(crate) webhooks: Webhooks,
    pub(crate) day_grace: Duration,
    pub(crate) idempotency_retention: Duration,
    /// The master key; none: it is in the data directory.
    pub(crate) secret_key: Option<Secret>,
    /// Master keys that are accepted besides it.
    pub(crate) previous_secret_keys: Vec<Secret>,
    /// The operator's key; none: it is in the control database.
    pub(crate) operator_key: Option<Secret>,
    pub(crate) log: Log,
}

/// `[server]`
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) bind: SocketAddr,
    /// The URL that the API is reached under; none: the address it listens on.
    pub(crate) public_url: Option<String>,
    pub(crate) api_prefix: String,
    /// 0: as many as there are processors.
    pub(crate) workers: usize,
    /// 0: for the server to choose.
    pub(crate) storage_threads: usize,
    pub(crate) body_limit: usize,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) trusted_proxies: TrustedProxies,
}

/// `[provisioning]`
#[derive(Debug, Clone)]
pub(crate) struct Provisioning {
    pub(crate) access: Access,
    pub(crate) allow_open_on_public: bool,
    pub(crate) workers: usize,
    pub(crate) lease: Duration,
    pub(crate) deprovision_grace: Duration,
    /// Databases kept ready, per server.
    pub(crate) pool_size: usize,
    /// Where tenants of a plan go.
    pub(crate) by_plan: BTreeMap<Plan, ClusterName>,
}

/// Who may order a tenant.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// Anybody who reaches the server.
    Open,
    /// The operator.
    Operator,
    /// Whoever solves a challenge, and the operator.
    Captcha(SiteverifySettings),
    /// Whoever signs the request, and the operator.
    Hmac {
        /// What is signed with.
        secrets: HmacSecrets,
        /// By how much a signer's clock may be off.
        window: Duration,
    },
}

/// `[auth]`
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    pub(crate) passwords: PasswordPolicy,
    pub(crate) access_token_ttl: Duration,
    pub(crate) machine_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_grace: Duration,
    pub(crate) session_lifetime: Duration,
    pub(crate) register_returns_token: bool,
    pub(crate) argon2: Argon2Cost,
}

/// `[log]`
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) filter: String,
    /// Whether somebody set the filter.
    pub(crate) filter_was_chosen: bool,
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, else JSON.
    Auto,
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Settings {
    /// Reads what the values in force mean, or everything that is wrong with them.
    pub(crate) fn read(layers: &Layers) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { layers, problems: Vec::new(), seen: Vec::new() };
        let settings = reader.settings();
        debug_assert_eq!(reader.seen.len(), layers.iter().count(), "every setting is read, once");
        if reader.problems.is_empty() { Ok(settings) } else { Err(reader.problems) }
    }
}

/// Reads one setting after the other and notes what is wrong; a stand-in takes the place of a wrong value, and is never
/// used, since one problem is enough for there to be no settings.
struct Reader<'a> {
    layers: &'a Layers,
    problems: Vec<Problem>,
    seen: Vec<&'static str>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Settings {
        let data_dir = PathBuf::from(self.text("data_dir", |text| match text {
            "" => Err("a directory is needed".to_owned()),
            path => Ok(path.to_owned()),
        }));
        let stores = self.stores(&data_dir);
        Settings {
            server: Server {
                bind: self.read("server.bind", SocketAddr::from(([127, 0, 0, 1], 0)), |text| {
                    let error =
                        || format!("'{text}' is no address with a port, such as 127.0.0.1:5000 or [::]:5000");
                    text.parse().map_err(|_| error())
                }),
                public_url: self.public_url(),
                api_prefix: self.text("server.api_prefix", api_prefix),
                workers: self.number("server.workers", 0, 256),
                storage_threads: self.number("server.storage_threads", 0, 1024),
                body_limit: self.size("server.body_limit", 1 << 10, 64 << 20) as usize,
                shutdown_timeout: self.duration("server.shutdown_timeout", SECOND, 10 * MINUTE),
                trusted_proxies: self.trusted_proxies(),
            },
            rate_limits: self.rate_limits(),
            plans: self.plans(),
            caller_percent: self.number("limits.caller_percent", 1, 100),
            own_logins: self.flag("tenant_databases.own_logins"),
            provisioning: Provisioning {
                access: self.access(),
                allow_open_on_public: self.flag("provisioning.allow_open_on_public"),
                workers: self.number("provisioning.workers", 1, 64),
                lease: self.duration("provisioning.lease", 2 * SECOND, 10 * MINUTE),
                deprovision_grace: self.duration("provisioning.deprovision_grace", Duration::ZERO, 365 * DAY),
                pool_size: self.number("tenant_databases.pool_size", 0, 1000),
                by_plan: self.by_plan(&stores),
            },
            auth: Auth {
                passwords: self.passwords(),
                access_token_ttl: self.duration("auth.access_token_ttl", MINUTE, HOUR),
                machine_token_ttl: self.duration("auth.machine_token_ttl", MINUTE, 15 * MINUTE),
                refresh_token_ttl: self.duration("auth.refresh_token_ttl", HOUR, 365 * DAY),
                refresh_grace: self.duration("auth.refresh_grace", Duration::ZERO, MINUTE),
                session_lifetime: self.duration("auth.session_lifetime", HOUR, 730 * DAY),
                register_returns_token: self.flag("auth.register_returns_token"),
                argon2: Argon2Cost {
                    memory_kib: self.size("auth.argon2_memory", 8 << 20, 1 << 30) / 1024,
                    passes: self.number("auth.argon2_passes", 1, 64),
                    ..Argon2Cost::default()
                },
            },
            notifications: self.notifications(),
            heads_interval: self.duration("events.heads_interval", 10 * SECOND, DAY),
            event_retention: self.duration_or_off("events.retention", 7 * DAY, 3650 * DAY),
            delivery_retention: self.duration("webhooks.delivery_retention", 7 * DAY, 3650 * DAY),
            webhooks: self.webhooks(),
            day_grace: self.duration("accounts.day_grace", Duration::ZERO, 6 * HOUR),
            idempotency_retention: self.duration("idempotency.retention", HOUR, 30 * DAY),
            secret_key: self.secret("secrets.secret_key", master_key),
            previous_secret_keys: self.previous_secret_keys(),
            operator_key: self.secret("secrets.operator_key", |key| {
                let acceptable =
                    key.chars().count() >= 24 && !key.contains(|c: char| c.is_whitespace() || !c.is_ascii());
                let error = || "it has to be at least 24 ASCII characters without white space".to_owned();
                if acceptable { Ok(()) } else { Err(error()) }
            }),
            log: Log {
                filter: self.text("log.filter", |text| match EnvFilter::try_new(text) {
                    Ok(_) => Ok(text.to_owned()),
                    Err(_) => {
                        Err(format!("'{text}' is no filter, such as info or warn,tenantry_worker=debug"))
                    }
                }),
                filter_was_chosen: self
                    .layers
                    .get("log.filter")
                    .is_some_and(|(_, origin)| *origin != Origin::Default),
                format: self.read("log.format", LogFormat::Auto, |text| match text {
                    "auto" => Ok(LogFormat::Auto),
                    "pretty" => Ok(LogFormat::Pretty),
                    "json" => Ok(LogFormat::Json),
                    _ => Err(format!("'{text}' is none of auto, pretty and json")),
                }),
            },
            stores,
            data_dir,
        }
    }

    fn passwords(&mut self) -> PasswordPolicy {
        let min_length: usize =
            self.number("auth.password_min_length", PasswordPolicy::LEAST, PasswordPolicy::MOST);
        PasswordPolicy::new(min_length).unwrap_or_default()
    }

    fn value(&mut self, name: &'static str) -> Option<(Value, Origin)> {
        self.seen.push(name);
        let value = self.layers.get(name).cloned();
        if value.is_none() {
            self.problems
                .push(Problem::new(name, "this setting has no default: the program was built wrong"));
        }
        value
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        stand_in: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let Some((Value::Text(text), origin)) = self.value(name) else {
            return stand_in;
        };
        parse(&text).unwrap_or_else(|what| {
            self.problems.push(Problem::new(format!("{name} ({origin})"), what));
            stand_in
        })
    }

    fn text(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<String, String>) -> String {
        self.read(name, String::new(), parse)
    }

    fn duration(&mut self, name: &'static str, least: Duration, most: Duration) -> Duration {
        self.read(name, least, |text| within(text, least, most))
    }

    /// As a duration, or `off`.
    fn duration_or_off(&mut self, name: &'static str, least: Duration, most: Duration) -> Option<Duration> {
        self.read(name, None, |text| match text {
            "off" => Ok(None),
            _ => within(text, least, most).map(Some),
        })
    }

    fn size(&mut self, name: &'static str, least: u32, most: u32) -> u32 {
        self.read(name, least, |text| match size(text)? {
            value if (least..=most).contains(&value) => Ok(value),
            _ => Err(format!("'{text}' is not within {}KiB and {}KiB", least >> 10, most >> 10)),
        })
    }

    fn secret(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<Secret> {
        self.read(name, None, |text| match text {
            "" => Ok(None),
            key => check(key).map(|()| Some(Secret::new(key))),
        })
    }

    fn number<N>(&mut self, name: &'static str, least: N, most: N) -> N
    where
        N: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let Some((Value::Integer(number), origin)) = self.value(name) else {
            return least;
        };
        match N::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                let what = format!("{number} is not within {least} and {most}");
                self.problems.push(Problem::new(format!("{name} ({origin})"), what));
                least
            }
        }
    }

    fn flag(&mut self, name: &'static str) -> bool {
        matches!(self.value(name), Some((Value::Flag(true), _)))
    }
}

fn within(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    match duration(text)? {
        value if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("'{text}' is not within {} and {}", duration_text(least), duration_text(most))),
    }
}

/// What the paths outside of the prefix begin with.
const OUTSIDE: [&str; 8] =
    [".well-known", "health", "oauth", "openapi.json", "problems", "provision", "swagger", "tenants"];

fn api_prefix(text: &str) -> Result<String, String> {
    let segment = |part: &str| {
        let is_plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        is_plain && !["", ".", ".."].contains(&part)
    };
    match text.trim_matches('/') {
        prefix if OUTSIDE.contains(&prefix.split('/').next().unwrap_or_default()) => {
            Err(format!("'{text}' begins like paths outside of it; choose another, such as api/v1"))
        }
        prefix if prefix.split('/').all(segment) => Ok(prefix.to_owned()),
        _ => Err(format!("'{text}' is no path prefix, such as api/v1")),
    }
}

/// What keeps a server from being started with these settings although each of them is valid.
pub(crate) fn insecure(settings: &Settings) -> Option<Problem> {
    let Settings { server, provisioning, .. } = settings;
    let open = matches!(provisioning.access, Access::Open) && !provisioning.allow_open_on_public;
    (open && !server.bind.ip().is_loopback()).then(|| {
        let what = "is a public address, and with provisioning.access = open anybody who reaches it could create tenants; \
                    set TENANTRY_PROVISIONING_ACCESS=operator (or hmac, or captcha), or, if that is what you want, \
                    provisioning.allow_open_on_public = true";
        Problem::new(format!("server.bind = {}", server.bind), what)
    })
}
