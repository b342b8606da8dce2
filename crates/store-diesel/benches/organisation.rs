//! What it costs to read a whole organisation of 10,000 units, from the database to the tree.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_domain::organisation::{OrgKind, OrgTree, OrgUnit};
use tenantry_domain::tenant::DatabasePrefix;
use tenantry_ports::TenantStore;
use tenantry_store_diesel::{DatabaseUrl, StoreSettings, Stores};
use tenantry_testkit::{postgres, sample};

/// 100 company codes with 9 plants each, 10 storage locations to a plant.
fn units() -> Vec<OrgUnit> {
    let mut units = Vec::with_capacity(10_000);
    for company in 0..100 {
        let company_code = sample::org_unit(OrgKind::CompanyCode, &format!("C{company}"), None);
        for plant in 0..9 {
            let code = format!("P{company}-{plant}");
            let plant = sample::org_unit(OrgKind::Plant, &code, Some(company_code.id));
            units.extend((0..10).map(|location| {
                sample::org_unit(OrgKind::StorageLocation, &format!("{code}-{location}"), Some(plant.id))
            }));
            units.push(plant);
        }
        units.push(company_code);
    }
    units.sort_by_key(|unit| unit.id);
    units
}

fn furnished(settings: &StoreSettings) -> (Stores, Arc<dyn TenantStore>) {
    let stores = Stores::open(settings).unwrap();
    stores.migrate_control().unwrap();
    let scope = sample::scope_of(&sample::database_of(sample::tenant("acme"), &settings.prefix));
    let store = sample::opened(&*stores.databases(), &*stores.tenants(), &scope);
    store.write(|tx| tx.organisation().insert(&units())).unwrap();
    (stores, store)
}

fn whole(criterion: &mut Criterion, name: &str, store: &Arc<dyn TenantStore>) {
    criterion.bench_function(&format!("10,000 units on {name}"), |bencher| {
        bencher.iter(|| OrgTree::new(store.read(|tx| tx.organisation().all()).unwrap()).units().len());
    });
}

fn reading(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("control.db"));
    let (_stores, store) = furnished(&StoreSettings::new(url, directory.path()));
    whole(criterion, "SQLite", &store);
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh_database("control").parse().unwrap();
    let mut settings = StoreSettings::new(url, "/nonexistent");
    settings.prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    let (_stores, store) = furnished(&settings);
    whole(criterion, "PostgreSQL", &store);
}

criterion_group!(benches, reading);
criterion_main!(benches);
