use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::process::OPERATOR_KEY;
use crate::{Backend, Tenantry, binary};

/// 32 bytes in base64; every replica of an installation needs the same.
const SECRET_KEY: &str = "dGVuYW50cnkgYmxhY2stYm94IHRlc3RzIHNlY3JldCE=";

/// An installation of tenantry: a directory, a control database and settings. Processes are started on it, killed and
/// started again; the data stays until the installation is dropped.
#[derive(Debug, Clone)]
pub struct Installation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: TempDir,
    backend: Backend,
    prefix: String,
    environment: Vec<(String, String)>,
    processes: AtomicUsize,
}

impl Installation {
    /// A new installation without any data.
    pub fn new(backend: Backend) -> Self {
        Self::with(backend, &[])
    }

    /// The same with settings of its own, as environment variables; they go before what the harness sets.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let directory =
            tempfile::Builder::new().prefix("tenantry-test-").tempdir().expect("a directory is made");
        let data = directory.path().join("data");
        let (url, prefix) = match backend {
            Backend::Sqlite => {
                (format!("sqlite:{}", data.join("control.db").display()), "ecom_tenant_".to_owned())
            }
            Backend::Postgres(server) => (server.fresh_database("control"), server.fresh_prefix()),
        };
        let defaults = [
            ("TENANTRY_DATA_DIR", data.to_str().expect("a temporary directory has a plain name")),
            ("TENANTRY_DATABASE_URL", &url),
            ("TENANTRY__TENANT_DATABASES__PREFIX", &prefix),
            ("TENANTRY_OPERATOR_KEY", OPERATOR_KEY),
            ("TENANTRY_SECRET_KEY", SECRET_KEY),
            ("TENANTRY_LOG_FORMAT", "json"),
            // What a killed process was at is soon taken up.
            ("TENANTRY__PROVISIONING__LEASE", "2s"),
            // Whoever wants databases kept ready says so.
            ("TENANTRY__TENANT_DATABASES__POOL_SIZE", "0"),
        ];
        let environment =
            defaults.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = environment.collect();
        Self(Arc::new(Inner { directory, backend, prefix, environment, processes: AtomicUsize::new(0) }))
    }

    /// Starts `tenantry serve` and waits until it is ready. More than one at a time are replicas.
    pub fn start(&self) -> Tenantry {
        self.start_with(&[], &[])
    }

    /// The same with more arguments (`--role worker`) and settings for this process alone.
    pub fn start_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Tenantry {
        Tenantry::start_on(self.clone(), arguments, settings)
    }

    /// Starts `tenantry serve` and waits for nothing: the process may answer nobody, or be going to die.
    pub fn launch(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Tenantry {
        Tenantry::launch_on(self.clone(), arguments, settings)
    }

    /// `tenantry`, to be run on this installation.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary::path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TENANTRY") {
                command.env_remove(name);
            }
        }
        command.envs(self.environment()).current_dir(self.directory()).stdin(Stdio::null());
        command
    }

    /// Where its data is kept.
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// Its directory; `data` in it is the data directory.
    pub fn directory(&self) -> &Path {
        self.0.directory.path()
    }

    /// The names of the tenant databases that exist, sorted, whoever they belong to.
    ///
    /// # Panics
    /// If they cannot be listed.
    pub fn tenant_databases(&self) -> Vec<String> {
        match self.0.backend {
            Backend::Postgres(server) => server.databases(&self.0.prefix),
            Backend::Sqlite => {
                let Ok(files) = self.directory().join("data/tenants").read_dir() else {
                    return Vec::new();
                };
                let names = files.map(|file| file.expect("a directory is read").file_name());
                let names = names.filter_map(|name| Some(name.to_str()?.strip_suffix(".db")?.to_owned()));
                let mut names: Vec<_> = names.collect();
                names.sort_unstable();
                names
            }
        }
    }

    /// How many databases are being kept ready, finished or not.
    pub fn pooled_databases(&self) -> usize {
        let pooled = format!("{}~pool_", self.0.prefix);
        self.tenant_databases().iter().filter(|name| name.starts_with(&pooled)).count()
    }

    /// The name of its control database on the server.
    ///
    /// # Panics
    /// If it is a file.
    pub fn control_database(&self) -> String {
        let url = self.environment().find(|(name, _)| *name == "TENANTRY_DATABASE_URL").map(|(_, url)| url);
        let name = url.filter(|url| url.starts_with("postgres")).and_then(|url| url.rsplit('/').next());
        let name = name.expect("the control database is on a server");
        name.split('?').next().unwrap_or(name).to_owned()
    }

    /// What the name of its tenant databases begins with.
    pub fn database_prefix(&self) -> &str {
        &self.0.prefix
    }

    fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A file for the log of another process.
    pub(crate) fn next_log(&self) -> PathBuf {
        let number = self.0.processes.fetch_add(1, Ordering::Relaxed) + 1;
        self.directory().join(format!("log-{number}.jsonl"))
    }
}

/// A port of the loopback interface that was free just now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}
