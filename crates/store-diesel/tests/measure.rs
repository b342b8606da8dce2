use std::time::Instant;
use tenantry_domain::tenant::{DatabasePrefix, Settings};
use tenantry_store_diesel::{StoreSettings, Stores};
use tenantry_testkit::{postgres, sample};

#[test]
fn measure() {
    let server = postgres::shared().unwrap();
    let external = std::env::var("MEASURE_URL").ok();
    let url = external.unwrap_or_else(|| server.fresh_database("control"));
    let settings = StoreSettings::new(url.parse().unwrap(), "/nonexistent");
    let t = Instant::now();
    let stores = Stores::open(&settings).unwrap();
    println!("open {:?}", t.elapsed());
    let t = Instant::now();
    stores.migrate_control().unwrap();
    println!("migrate_control {:?}", t.elapsed());
    let t = Instant::now();
    stores.prepare().unwrap();
    println!("prepare {:?}", t.elapsed());
    let prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    let mut totals = vec![];
    for i in 0..20 {
        let tenant = sample::database_of(sample::tenant(&format!("acme-{i}")), &prefix);
        let scope = sample::scope_of(&tenant);
        let t = Instant::now();
        stores.databases().create(&scope).unwrap();
        let a = t.elapsed();
        stores.databases().migrate(&scope).unwrap();
        let b = t.elapsed();
        let store = stores.tenants().open(&scope).unwrap();
        store.write(|tx| { tx.settings().put(&Settings::default())?; tx.configs().insert(&sample::stored_config("demo", 1)) }).unwrap();
        let c = t.elapsed();
        println!("create {a:?} migrate {:?} seed {:?} total {c:?}", b - a, c - b);
        totals.push(c);
        let t = Instant::now();
        stores.databases().remove(&scope).unwrap();
        println!("   remove {:?}", t.elapsed());
    }
    totals.sort();
    println!("median {:?}", totals[10]);
}
