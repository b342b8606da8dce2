//! The places where databases are: PostgreSQL servers, or a directory.

use std::collections::BTreeMap;

use tenantry_domain::tenant::ClusterName;
use tenantry_store_diesel::{ClusterReport, Premises, ServerReport, Stores};
use tenantry_usecases::doctor::Symptom;

use super::{Cure, Finding};
use crate::settings::Settings;

/// With so many databases, how a server begins after a crash makes a difference of minutes.
const MANY: usize = 200;
/// What a server keeps for its administrators.
const RESERVED: u32 = 3;
/// Connections that make, rename and drop databases, beside those to the control database and the tenants'.
const MAINTENANCE: u32 = 8;

/// What the servers say of themselves.
pub(super) fn findings(settings: &Settings, stores: &Stores) -> Vec<Finding> {
    match stores.examine() {
        Premises::Directory(report) => {
            let place = report.path.display().to_string();
            let finding = match report.writable {
                Ok(()) => Symptom::ok("tenant_directory", place, "tenants' databases can be made there"),
                Err(error) => {
                    let next = "give this user the right to it, and see whether the disk is full";
                    let what = format!("files cannot be made there: {error}");
                    Symptom::error("tenant_directory", place, what, next)
                }
            };
            vec![finding.into()]
        }
        Premises::Clusters(reports) => {
            // What cannot be listed is reported with the databases.
            let inventory = stores.databases().inventory().into_iter();
            let databases: BTreeMap<_, _> =
                inventory.filter_map(|server| Some((server.cluster, server.found.ok()?.len()))).collect();
            let on = |name: &ClusterName| databases.get(name).copied().unwrap_or(0);
            reports.iter().flat_map(|report| of_cluster(settings, report, on(&report.name))).collect()
        }
    }
}

fn of_cluster(settings: &Settings, report: &ClusterReport, databases: usize) -> Vec<Finding> {
    let place = format!("server {}", report.name);
    let server = match &report.server {
        Ok(server) => server,
        Err(error) => {
            let next =
                "start it, or correct its address: database.url for main, else tenant_databases.clusters";
            let what = format!("it cannot be asked: {error}");
            return vec![Symptom::error("unreachable_server", place, what, next).into()];
        }
    };
    let mut findings: Vec<Finding> = rights(settings, server, &place);
    findings.extend(connections(settings, server, &place, report.name == ClusterName::default()));
    findings.extend(recovery(server, &place, databases));
    if !server.orphaned_logins.is_empty() {
        let what = format!(
            "{} logins may enter no database: {}",
            server.orphaned_logins.len(),
            server.orphaned_logins.join(", ")
        );
        let next = "`tenantry doctor --fix` drops them; interrupted removals leave such";
        let left = Finding::from(Symptom::warning("orphaned_logins", place.as_str(), what, next));
        findings.push(left.with(Cure::DropLogins));
    }
    if findings.is_empty() {
        let what = format!(
            "PostgreSQL {}, {databases} databases, {} of {} connections in use",
            server.version, server.connections, server.max_connections
        );
        findings.push(Symptom::ok("server", place, what).into());
    }
    findings
}

fn rights(settings: &Settings, server: &ServerReport, place: &str) -> Vec<Finding> {
    let missing = |has: bool, right: &str, what: &str| {
        let next = format!("as an administrator of the server: ALTER ROLE \"<our user>\" {right}");
        let what = format!("our user has no {right} right: {what}");
        (!has)
            .then(|| Finding::from(Symptom::error("missing_right", format!("{place}, {right}"), what, next)))
    };
    let logins = settings.own_logins;
    [
        missing(server.creates_databases, "CREATEDB", "no tenant's database can be made"),
        missing(server.creates_roles || !logins, "CREATEROLE", "no tenant's login can be made"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn connections(settings: &Settings, server: &ServerReport, place: &str, is_main: bool) -> Option<Finding> {
    let control = if is_main { settings.stores.control_connections } else { 0 };
    let ours = control + settings.stores.all_tenant_connections + MAINTENANCE;
    let free = server.max_connections.saturating_sub(RESERVED);
    (ours > free).then(|| {
        let what = format!(
            "one process of ours may want {ours} connections, and it takes {free} from everybody together"
        );
        let next = format!(
            "set max_connections on the server to {} or more for each of our processes, or lower \
             tenant_databases.max_open_connections",
            ours + RESERVED
        );
        Symptom::warning("too_few_connections", place, what, next).into()
    })
}

fn recovery(server: &ServerReport, place: &str, databases: usize) -> Option<Finding> {
    let slow = server.recovery_init_sync_method.as_deref() == Some("fsync") && databases >= MANY;
    slow.then(|| {
        let what = format!("after a crash it opens every file of {databases} databases before it answers, which takes minutes");
        let next = "ALTER SYSTEM SET recovery_init_sync_method = 'syncfs'; SELECT pg_reload_conf();";
        Symptom::warning("slow_recovery", place, what, next).into()
    })
}
