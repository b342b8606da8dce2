use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::tenant::{ClusterName, DatabasePrefix};
use tenantry_ports::Secret;
use uuid::Uuid;

use crate::{DatabaseUrl, PostgresUrl};

/// Where the databases are, and how much of them the program may use.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The control database. With PostgreSQL, tenant databases are made on the same server, which is called `main`.
    pub url: DatabaseUrl,
    /// Other PostgreSQL servers that tenant databases are made on, by name; none by default. Each URL names a database
    /// to make others from: the same one for all replicas. Unused with SQLite.
    pub clusters: BTreeMap<ClusterName, PostgresUrl>,
    /// What the names of tenants' databases and logins begin with.
    pub prefix: DatabasePrefix,
    /// The passwords of the logins that tenants' databases are entered with, each with its own. None, as by default:
    /// they are entered as the user that the server's URL names. Unused with SQLite.
    pub logins: Option<LoginPasswords>,
    /// Where SQLite tenant databases are kept, in a directory `tenants`. Unused with PostgreSQL.
    pub data_dir: PathBuf,
    /// How many connections to the control database may be open; 8 by default.
    pub control_connections: u32,
    /// How many connections to one tenant's database may be open; 4 by default.
    pub tenant_connections: u32,
    /// How many connections to all tenants' databases together, on whichever server, may be open; 64 by default. When
    /// they are all open, those of the tenant that nobody has used for longest are closed.
    pub all_tenant_connections: u32,
    /// After how long without use the connections to a tenant's database are closed; 1 minute by default.
    pub tenant_idle: Duration,
    /// How long to wait for a free connection, or for a new one to be made; 2 seconds by default.
    pub connect_timeout: Duration,
    /// How long a statement waits for others' locks, and a SQLite writer for its turn; 5 seconds by default.
    pub lock_timeout: Duration,
    /// How long a statement may take; 15 seconds by default. PostgreSQL only.
    pub statement_timeout: Duration,
    /// How long a transaction may sit idle before the server ends it; 30 seconds by default. PostgreSQL only.
    pub idle_transaction_timeout: Duration,
    /// How long making, migrating or dropping a database may take; 5 minutes by default.
    pub maintenance_timeout: Duration,
}

impl StoreSettings {
    /// The defaults, for these places.
    pub fn new(url: DatabaseUrl, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            url,
            clusters: BTreeMap::new(),
            prefix: DatabasePrefix::default(),
            logins: None,
            data_dir: data_dir.into(),
            control_connections: 8,
            tenant_connections: 4,
            all_tenant_connections: 64,
            tenant_idle: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(2),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(15),
            idle_transaction_timeout: Duration::from_secs(30),
            maintenance_timeout: Duration::from_secs(300),
        }
    }
}

/// The password of each login, in ASCII: always the same one for the same login, and one that nobody can guess, as a key
/// of 32 bytes is. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct LoginPasswords {
    current: Password,
    former: Vec<Password>,
}

type Password = Arc<dyn Fn(Uuid) -> Secret + Send + Sync>;

impl LoginPasswords {
    /// The passwords that this function tells.
    pub fn new(password: impl Fn(Uuid) -> Secret + Send + Sync + 'static) -> Self {
        Self { current: Arc::new(password), former: Vec::new() }
    }

    /// Also tries the password that this function tells, where the server refuses the one that a login should have. None
    /// is ever given it: [`renew_login`](tenantry_ports::TenantDatabases::renew_login) gives them the one they should have.
    #[must_use]
    pub fn or_formerly(mut self, password: impl Fn(Uuid) -> Secret + Send + Sync + 'static) -> Self {
        self.former.push(Arc::new(password));
        self
    }

    /// The password of this login.
    pub(crate) fn of(&self, login: Uuid) -> Secret {
        (self.current)(login)
    }

    /// The same, and then those that this login may still have.
    pub(crate) fn all(&self, login: Uuid) -> impl Iterator<Item = Secret> {
        std::iter::once(&self.current).chain(&self.former).map(move |password| password(login))
    }
}

impl fmt::Debug for LoginPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginPasswords(…)")
    }
}
