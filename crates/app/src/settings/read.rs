//! What the settings mean: checked, in the types the rest of the program takes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tenantry_domain::tenant::DatabasePrefix;
use tenantry_ports::Secret;
use tenantry_security::MasterKey;
use tracing_subscriber::EnvFilter;

use super::layers::Layers;
use super::value::{Value, duration, size};
use super::{Origin, Problem};

/// Every setting. See `config/default.toml` for what each means.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) server: Server,
    /// The control database's URL, never empty.
    pub(crate) database_url: Secret,
    pub(crate) database_prefix: DatabasePrefix,
    pub(crate) provisioning: Provisioning,
    pub(crate) auth: Auth,
    pub(crate) idempotency_retention: Duration,
    /// The master key; none: it is in the data directory.
    pub(crate) secret_key: Option<Secret>,
    /// The operator's key; none: it is in the control database.
    pub(crate) operator_key: Option<Secret>,
    pub(crate) log: Log,
}

/// `[server]`
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) bind: SocketAddr,
    pub(crate) api_prefix: String,
    pub(crate) workers: usize,
    pub(crate) body_limit: usize,
    pub(crate) shutdown_timeout: Duration,
}

/// `[provisioning]`
#[derive(Debug, Clone)]
pub(crate) struct Provisioning {
    pub(crate) access: Access,
    pub(crate) allow_open_on_public: bool,
    pub(crate) workers: usize,
    pub(crate) lease: Duration,
}

/// Who may order a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody who reaches the server.
    Open,
    /// The operator.
    Operator,
}

/// `[auth]`
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    pub(crate) password_min_length: usize,
    pub(crate) access_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
}

/// `[log]`
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) filter: String,
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
        let own_database = format!("sqlite:{}", data_dir.join("control.db").display());
        Settings {
            server: Server {
                bind: self.read("server.bind", SocketAddr::from(([127, 0, 0, 1], 0)), |text| {
                    let error = || format!("'{text}' is no address with a port, such as 127.0.0.1:5000 or [::]:5000");
                    text.parse().map_err(|_| error())
                }),
                api_prefix: self.text("server.api_prefix", api_prefix),
                workers: self.number("server.workers", 0, 256),
                body_limit: self.read("server.body_limit", 0, |text| match size(text)? {
                    bytes @ 1_024..=67_108_864 => Ok(bytes),
                    _ => Err(format!("'{text}' is not within 1KiB and 64MiB")),
                }),
                shutdown_timeout: self.duration("server.shutdown_timeout", SECOND, 10 * MINUTE),
            },
            database_url: Secret::new(self.text("database.url", |text| match text {
                "" => Ok(own_database.clone()),
                url => database_url(url),
            })),
            database_prefix: self.read("tenant_databases.prefix", DatabasePrefix::default(), |text| {
                DatabasePrefix::new(text).map_err(|error| error.to_string())
            }),
            provisioning: Provisioning {
                access: self.read("provisioning.access", Access::Operator, access),
                allow_open_on_public: self.flag("provisioning.allow_open_on_public"),
                workers: self.number("provisioning.workers", 1, 64),
                lease: self.duration("provisioning.lease", 5 * SECOND, 10 * MINUTE),
            },
            auth: Auth {
                password_min_length: self.number("auth.password_min_length", 8, 128),
                access_token_ttl: self.duration("auth.access_token_ttl", MINUTE, HOUR),
                refresh_token_ttl: self.duration("auth.refresh_token_ttl", HOUR, 365 * DAY),
            },
            idempotency_retention: self.duration("idempotency.retention", HOUR, 30 * DAY),
            secret_key: self.secret("secrets.secret_key", |key| {
                MasterKey::from_base64(key).map(drop).map_err(|error| error.to_string())
            }),
            operator_key: self.secret("secrets.operator_key", |key| {
                let acceptable = key.chars().count() >= 24 && !key.contains(|c: char| c.is_whitespace() || !c.is_ascii());
                let error = || "it has to be at least 24 ASCII characters without white space".to_owned();
                if acceptable { Ok(()) } else { Err(error()) }
            }),
            log: Log {
                filter: self.text("log.filter", |text| match EnvFilter::try_new(text) {
                    Ok(_) => Ok(text.to_owned()),
                    Err(_) => Err(format!("'{text}' is no filter, such as info or warn,tenantry_worker=debug")),
                }),
                format: self.read("log.format", LogFormat::Auto, |text| match text {
                    "auto" => Ok(LogFormat::Auto),
                    "pretty" => Ok(LogFormat::Pretty),
                    "json" => Ok(LogFormat::Json),
                    _ => Err(format!("'{text}' is none of auto, pretty and json")),
                }),
            },
            data_dir,
        }
    }

    fn value(&mut self, name: &'static str) -> Option<(Value, Origin)> {
        self.seen.push(name);
        let value = self.layers.get(name).cloned();
        if value.is_none() {
            self.problems.push(Problem::new(name, "this setting has no default: the program was built wrong"));
        }
        value
    }

    fn read<T>(&mut self, name: &'static str, stand_in: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some((Value::Text(text), origin)) = self.value(name) else { return stand_in };
        parse(&text).unwrap_or_else(|what| {
            self.problems.push(Problem::new(format!("{name} ({origin})"), what));
            stand_in
        })
    }

    fn text(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<String, String>) -> String {
        self.read(name, String::new(), parse)
    }

    fn duration(&mut self, name: &'static str, least: Duration, most: Duration) -> Duration {
        self.read(name, least, |text| match duration(text)? {
            value if (least..=most).contains(&value) => Ok(value),
            _ => Err(format!("'{text}' is not within {}s and {}s", least.as_secs(), most.as_secs())),
        })
    }

    fn secret(&mut self, name: &'static str, check: impl FnOnce(&str) -> Result<(), String>) -> Option<Secret> {
        self.read(name, None, |text| match text {
            "" => Ok(None),
            key => check(key).map(|()| Some(Secret::new(key))),
        })
    }

    fn number(&mut self, name: &'static str, least: usize, most: usize) -> usize {
        let Some((Value::Integer(number), origin)) = self.value(name) else { return least };
        match usize::try_from(number) {
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

fn api_prefix(text: &str) -> Result<String, String> {
    let segment = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    match text.trim_matches('/') {
        prefix if prefix.split('/').all(segment) => Ok(prefix.to_owned()),
        _ => Err(format!("'{text}' is no path prefix, such as api/v1")),
    }
}

fn database_url(url: &str) -> Result<String, String> {
    let file = url.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
    let server = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    // Not repeated in the message: it may hold a password.
    if file || server { Ok(url.to_owned()) } else { Err("expected sqlite:PATH or postgres://…".to_owned()) }
}

fn access(text: &str) -> Result<Access, String> {
    match text {
        "open" => Ok(Access::Open),
        "operator" => Ok(Access::Operator),
        "hmac" | "captcha" => Err(format!("'{text}' is not available in this version; choose open or operator")),
        _ => Err(format!("'{text}' is none of open and operator")),
    }
}

/// What keeps a server from being started with these settings although each of them is valid.
pub(crate) fn insecure(settings: &Settings) -> Option<Problem> {
    let Settings { server, provisioning, .. } = settings;
    let open = provisioning.access == Access::Open && !provisioning.allow_open_on_public;
    (open && !server.bind.ip().is_loopback()).then(|| {
        let what = "is a public address, and with provisioning.access = open anybody who reaches it could create tenants; \
                    set TENANTRY_PROVISIONING_ACCESS=operator, or, if that is what you want, \
                    provisioning.allow_open_on_public = true";
        Problem::new(format!("server.bind = {}", server.bind), what)
    })
}
