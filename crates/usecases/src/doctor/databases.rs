use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Tenant};
use tenantry_ports::{FoundDatabase, Inventory, PoolState, TenantScope};
use uuid::Uuid;

use super::registry::{Registry, may_own, must_own, name};
use super::{Remedy, Symptom, count};

/// Compares the databases that exist on these servers with those that should, both ways. What changed after `settled` may
/// still be on its way, and is no leftover yet. Of a server that could not be asked, nothing but that is known.
pub(super) fn compare(
    registry: &Registry,
    inventory: Vec<Inventory>,
    clusters: &[ClusterName],
    settled: DateTime<Utc>,
) -> Vec<Symptom> {
    let mut symptoms = unknown_clusters(registry, clusters);
    let (mut found, mut unlisted) = (Vec::new(), BTreeSet::new());
    for server in inventory {
        match server.found {
            Ok(databases) => found.extend(databases),
            Err(error) => {
                let place = format!("server {}", server.cluster);
                let next = "see to it that the server can be reached, then look again";
                let what = format!("the databases that exist there cannot be listed: {error}");
                symptoms.push(Symptom::error("databases_unlisted", place, what, next));
                unlisted.insert(server.cluster);
            }
        }
    }
    let listed = |cluster: &ClusterName| clusters.contains(cluster) && !unlisted.contains(cluster);
    let places: BTreeMap<_, _> = found.iter().map(|found| ((&found.cluster, &*found.name), found)).collect();
    let here = registry.tenants.values().filter(|tenant| listed(&tenant.home.cluster));
    symptoms.extend(here.filter_map(|tenant| {
        let there = places.get(&(&tenant.home.cluster, tenant.database.as_str()));
        of_tenant(registry, tenant, there.copied())
    }));
    let here = registry.pool.values().filter(|(pooled, _)| listed(&pooled.cluster));
    symptoms.extend(here.filter_map(|(pooled, state)| {
        let there = places.get(&(&pooled.cluster, pooled.database.as_str())).map(|found| found.ruined);
        let PoolState::Ready { .. } = state else { return None };
        let what = match there {
            Some(false) => return None,
            Some(true) => "it is ready in the registry, and was half removed",
            None => "it is ready in the registry, and is not there",
        };
        let next = "`tenantry doctor --fix` makes it again";
        let missing = Symptom::warning(
            "missing_pooled_database",
            place(&pooled.cluster, pooled.database.as_str()),
            what,
            next,
        );
        Some(missing.with(Remedy::Remake(pooled.id)))
    }));
    let unreadable = registry.unreadable();
    let readable = |found: &&FoundDatabase| owner(found).is_none_or(|owner| !unreadable.contains(&owner));
    let owned = found.iter().filter(readable);
    symptoms.extend(owned.filter_map(|found| of_database(registry, found, settled)));
    if symptoms.is_empty() {
        let owned = registry.tenants.values().filter(|tenant| must_own(tenant)).count();
        let (tenants, pooled) = (count(owned, "tenant"), count(registry.pool.len(), "pooled database"));
        let what = format!("{tenants} and {pooled}, each in its place");
        symptoms.push(Symptom::ok("databases", "tenant databases", what));
    }
    symptoms
}

/// Servers that databases are on and the settings do not name.
fn unknown_clusters(registry: &Registry, clusters: &[ClusterName]) -> Vec<Symptom> {
    let owners = registry.tenants.values().filter(|tenant| may_own(tenant));
    let homes = owners.map(|tenant| &tenant.home.cluster);
    let mut unknown: BTreeMap<&ClusterName, usize> = BTreeMap::new();
    for cluster in homes.chain(registry.pool.values().map(|(pooled, _)| &pooled.cluster)) {
        if !clusters.contains(cluster) {
            *unknown.entry(cluster).or_insert(0) += 1;
        }
    }
    let symptom = |(cluster, databases)| {
        let what =
            format!("{} there, and the settings do not say where that is", count(databases, "database"));
        let next =
            format!("name it in tenant_databases.clusters.{cluster}, as long as there are databases on it");
        Symptom::error("unknown_server", format!("server {cluster}"), what, next)
    };
    unknown.into_iter().map(symptom).collect()
}

/// Whether the tenant has its database, or somebody else has its name.
fn of_tenant(registry: &Registry, tenant: &Tenant, there: Option<&FoundDatabase>) -> Option<Symptom> {
    let database = place(&tenant.home.cluster, tenant.database.as_str());
    match there {
        None if must_own(tenant) => {
            let what = format!("database {database} is not there");
            let next = format!(
                "restore it from a backup under this name; if the tenant is to go, `tenantry tenants delete {}`",
                tenant.slug
            );
            Some(Symptom::error("missing_database", name(tenant), what, next))
        }
        Some(found) if may_own(tenant) && !owned(registry, found, tenant) => {
            let what = format!("database {database} has the tenant's name and is not the tenant's");
            let next = "find out whose it is and give it another name; it is never adopted and never dropped (if it is the \
                        tenant's own and damaged, restore it from a backup)";
            Some(Symptom::error("foreign_database", name(tenant), what, next))
        }
        Some(found) if must_own(tenant) && found.ruined => {
            let what =
                format!("a removal of database {database} was interrupted, and nobody can enter it any more");
            let next = format!(
                "what is in it is lost: drop it by hand (DROP DATABASE \"{}\") and restore it from a backup under this \
                 name; if the tenant is to go, `tenantry tenants delete {}`",
                tenant.database, tenant.slug
            );
            Some(Symptom::error("ruined_database", name(tenant), what, next))
        }
        _ => None,
    }
}

/// Whether the database of the tenant's name is the tenant's, or about to become so.
fn owned(registry: &Registry, found: &FoundDatabase, tenant: &Tenant) -> bool {
    found.owner.is_some_and(|owner| {
        let taken = || registry.pool.get(&owner).is_some_and(|(_, state)| takes(state, tenant));
        owner == tenant.id || taken()
    })
}

fn takes(state: &PoolState, tenant: &Tenant) -> bool {
    matches!(state, PoolState::Taken { tenant: taker, .. } if *taker == tenant.id)
}

/// Whether the database belongs to somebody.
fn of_database(registry: &Registry, found: &FoundDatabase, settled: DateTime<Utc>) -> Option<Symptom> {
    let database = place(&found.cluster, &found.name);
    let Some(owner) = owner(found) else {
        let named = |tenant: &&Tenant| {
            tenant.home.cluster == found.cluster && tenant.database.as_str() == found.name && may_own(tenant)
        };
        // Then it was said with the tenant.
        if registry.tenants.values().any(|tenant| named(&tenant)) {
            return None;
        }
        let what = "it is called like a tenant's database and has no owner's tag";
        let next = "give it another name: no tenant can have this one as long as it is there";
        return Some(Symptom::warning("untagged_database", database, what, next));
    };
    if registry.pool.contains_key(&owner) {
        return None;
    }
    let Some(tenant) = registry.tenants.get(&owner) else {
        let what = format!("it belongs to {owner}, of whom this installation knows nothing");
        let next = "if another installation uses this server, leave it; if the control database was restored from an older \
                    backup, it may hold a tenant's only data: keep it; else drop it by hand";
        return Some(Symptom::warning("unknown_owner", database, what, next));
    };
    if !may_own(tenant) {
        if tenant.updated_at > settled {
            return None;
        }
        let what = format!("it is left of {}, which is {}", name(tenant), tenant.lifecycle.status());
        return Some(match TenantScope::leftover(tenant) {
            Ok(_) => Symptom::error("orphan_database", database, what, "`tenantry doctor --fix` drops it")
                .with(Remedy::DropLeftover { tenant: tenant.id, version: tenant.version }),
            Err(_) => {
                Symptom::error("orphan_database", database, what, "find out who made it, and drop it by hand")
            }
        });
    }
    let misplaced = must_own(tenant)
        && (&tenant.home.cluster, tenant.database.as_str()) != (&found.cluster, found.name.as_str());
    misplaced.then(|| {
        let own = place(&tenant.home.cluster, tenant.database.as_str());
        let what = format!("it belongs to {}, whose database is {own}", name(tenant));
        let next = "if somebody renamed or copied it, give it its own name back, or drop the copy by hand";
        Symptom::warning("misplaced_database", database, what, next)
    })
}

/// Whose it is, or is about to be.
fn owner(found: &FoundDatabase) -> Option<TenantId> {
    found.owner.or_else(|| being_made_for(&found.name))
}

/// For whom a database is made that has no tag yet: its name ends in the id. No tenant's own database has a `~`.
fn being_made_for(name: &str) -> Option<TenantId> {
    let (_, rest) = name.split_once('~')?;
    Uuid::try_parse(rest.rsplit('_').next()?).ok().map(TenantId::new)
}

fn place(cluster: &ClusterName, database: &str) -> String {
    match *cluster == ClusterName::default() {
        true => database.to_owned(),
        false => format!("{database} on {cluster}"),
    }
}
