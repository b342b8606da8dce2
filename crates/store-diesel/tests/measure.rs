use std::time::{Duration, Instant};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_domain::tenant::{DatabasePrefix, Settings};
use tenantry_store_diesel::{StoreSettings, Stores};
use tenantry_testkit::{postgres, sample};

#[test]
fn measure() {
    let server = postgres::shared().unwrap();
    let external = std::env::var("MEASURE_URL").ok();
    let url = external.unwrap_or_else(|| server.fresh_database("control"));
    let settings = StoreSettings::new(url.parse().unwrap(), "/nonexistent");
    let stores = Stores::open(&settings).unwrap();
    stores.migrate_control().unwrap();
    stores.prepare().unwrap();
    let prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    let mut raw_conn = PgConnection::establish(&url).unwrap();
    let mut all: [Vec<Duration>; 6] = Default::default();
    let template = server.query("postgres", "select datname from pg_database where datname like 'tenantry~templ%' order by oid desc limit 1").unwrap();
    let mut raw = |n: String, t: &str| { let b = Instant::now(); raw_conn.batch_execute(&format!("CREATE DATABASE {n} TEMPLATE \"{t}\" STRATEGY WAL_LOG")).unwrap(); b.elapsed() };
    for i in 0..30 {
        all[0].push(raw(format!("{}raw{i}", prefix.as_str()), "template1"));
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
        all[1].push(a); all[2].push(b-a); all[3].push(c-b); all[4].push(c);
        all[5].push(raw(format!("{}tmp{i}", prefix.as_str()), &template));
    }
    for (v, n) in all.iter_mut().zip(["raw", "create", "migrate", "seed", "total", "raw from template"]) { v.sort(); println!("{n}: p10 {:?} median {:?}", v[3], v[15]); }
}
