//! `[database]` and `[tenant_databases]`: where the databases are, and how much of them may be used.

use std::collections::BTreeMap;
use std::path::Path;

use tenantry_domain::tenant::{ClusterName, DatabasePrefix, Plan};
use tenantry_store_diesel::{DatabaseUrl, InvalidUrl, PostgresUrl, StoreSettings};

use super::{DAY, HOUR, MINUTE, Problem, Reader, SECOND, Value};
use crate::settings::known::cluster_of;

impl Reader<'_> {
    pub(super) fn stores(&mut self, data_dir: &Path) -> StoreSettings {
        let own = DatabaseUrl::Sqlite(data_dir.join("control.db"));
        let url = self.read("database.url", own.clone(), |text| match text {
            "" => Ok(own),
            url => database_url(url),
        });
        StoreSettings {
            clusters: self.clusters(&url),
            prefix: self.read("tenant_databases.prefix", DatabasePrefix::default(), |text| {
                DatabasePrefix::new(text).map_err(|error| error.to_string())
            }),
            control_connections: self.number("database.max_connections", 1, 256),
            connect_timeout: self.duration("database.connect_timeout", SECOND / 10, MINUTE),
            lock_timeout: self.duration("database.lock_timeout", SECOND / 10, MINUTE),
            statement_timeout: self.duration("database.statement_timeout", SECOND, 10 * MINUTE),
            tenant_connections: self.number("tenant_databases.connections_per_tenant", 1, 64),
            all_tenant_connections: self.number("tenant_databases.max_open_connections", 1, 10_000),
            tenant_idle: self.duration("tenant_databases.idle_timeout", SECOND, DAY),
            maintenance_timeout: self.duration("tenant_databases.maintenance_timeout", 10 * SECOND, HOUR),
            ..StoreSettings::new(url, data_dir)
        }
    }

    /// The servers besides that of the control database.
    fn clusters(&mut self, main: &DatabaseUrl) -> BTreeMap<ClusterName, PostgresUrl> {
        let layers = self.layers;
        let mut clusters = BTreeMap::new();
        for (setting, value, origin) in layers.iter() {
            let (Some(name), Value::Text(text)) = (cluster_of(setting), value) else { continue };
            self.seen.push("tenant_databases.clusters");
            match cluster(name, text, main) {
                Ok((name, url)) => {
                    clusters.insert(name, url);
                }
                Err(what) => self.problems.push(Problem::new(format!("{setting} ({origin})"), what)),
            }
        }
        clusters
    }

    /// Where tenants of each plan go, if that is said.
    pub(super) fn by_plan(&mut self, stores: &StoreSettings) -> BTreeMap<Plan, ClusterName> {
        let plans = [
            (Plan::Basic, "tenant_databases.placement.basic"),
            (Plan::Premium, "tenant_databases.placement.premium"),
            (Plan::Enterprise, "tenant_databases.placement.enterprise"),
        ];
        let cluster = |text: &str| match text {
            "" => Ok(None),
            name => match ClusterName::new(name).map_err(|error| error.to_string())? {
                name if name == ClusterName::default() || stores.clusters.contains_key(&name) => {
                    Ok(Some(name))
                }
                name => Err(format!("there is no [tenant_databases.clusters.{name}]")),
            },
        };
        plans.into_iter().filter_map(|(plan, name)| Some((plan, self.read(name, None, cluster)?))).collect()
    }
}

fn cluster(name: &str, url: &str, main: &DatabaseUrl) -> Result<(ClusterName, PostgresUrl), String> {
    let name = ClusterName::new(name).map_err(|error| error.to_string())?;
    if name == ClusterName::default() {
        return Err("'main' is the server of database.url; choose another name".to_owned());
    }
    if let DatabaseUrl::Sqlite(_) = main {
        return Err(
            "with a SQLite control database there are no servers; set database.url to PostgreSQL".to_owned()
        );
    }
    match database_url(url)? {
        DatabaseUrl::Postgres(url) => Ok((name, url)),
        DatabaseUrl::Sqlite(_) => Err("a server is a PostgreSQL server".to_owned()),
    }
}

/// The error does not repeat the text: it may hold a password.
fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    text.parse().map_err(|error: InvalidUrl| error.to_string())
}
