use std::path::PathBuf;
use std::time::Duration;

use crate::DatabaseUrl;

/// Where the databases are, and how much of them the program may use.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The control database. With PostgreSQL, tenant databases are made on the same server.
    pub url: DatabaseUrl,
    /// Where SQLite tenant databases are kept, in a directory `tenants`. Unused with PostgreSQL.
    pub data_dir: PathBuf,
    /// How many connections to the control database may be open; 8 by default.
    pub control_connections: u32,
    /// How many connections to one tenant's database may be open; 4 by default.
    pub tenant_connections: u32,
    /// How many connections to all tenants' databases together may be open; 64 by default. When they are all open,
    /// those of the tenant that nobody has used for longest are closed.
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
