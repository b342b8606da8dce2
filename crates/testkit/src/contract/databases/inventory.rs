//! Facts about the list of all databases.

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{FoundDatabase, TenantScope};

use super::ready_to_adopt;
use crate::contract::{Subject, pooled, scope};
use crate::sample::permitted;

/// The databases found that have the subject's prefix, by name.
fn found(subject: &dyn Subject) -> Vec<FoundDatabase> {
    let servers = subject.databases().inventory().into_iter();
    let mut found: Vec<_> = servers.flat_map(|server| server.found.expect("the server answers")).collect();
    found.retain(|database| database.name.starts_with(subject.prefix().as_str()));
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    found
}

fn entry(name: &str, owner: Option<TenantId>) -> FoundDatabase {
    FoundDatabase { cluster: ClusterName::default(), name: name.to_owned(), owner, ruined: false }
}

/// Tenants' databases, pooled ones and strangers' under our names are all listed, with whose tag they carry.
pub fn what_is_there_is_listed_with_its_owner(subject: &dyn Subject) {
    let databases = subject.databases();
    assert!(found(subject).is_empty());
    let (acme, pool) = (scope(subject, "acme"), TenantScope::pooled(&pooled(subject)));
    let foreign = scope(subject, "foreign");
    databases.create(&acme, &permitted).expect("the database is created");
    databases.create(&pool, &permitted).expect("the database is created");
    databases.migrate(&pool).expect("the database is migrated");
    subject.make_foreign(foreign.database());

    let mut expected = [
        entry(acme.database().as_str(), Some(acme.tenant())),
        entry(foreign.database().as_str(), None),
        entry(pool.database().as_str(), Some(pool.tenant())),
    ];
    expected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(found(subject), expected);
}

/// An adopted database is listed as the tenant's, once; a dropped one not at all.
pub fn the_list_follows_what_becomes_of_a_database(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    assert_eq!(found(subject), [entry(pool.database().as_str(), Some(pool.tenant()))]);
    databases.adopt(&pool, &tenant, &permitted).expect("it is adopted");
    assert_eq!(found(subject), [entry(tenant.database().as_str(), Some(tenant.tenant()))]);
    databases.remove(&tenant, &permitted).expect("the database is dropped");
    assert!(found(subject).is_empty());
}
