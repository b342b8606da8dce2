//! What a slice of provisioned accounts costs.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use tenantry_ports::{LogHead, StoreError, TenantStore};
use tenantry_testkit::sample;

use crate::db::Db;
use crate::pool::Database;
use crate::testing;

/// What went over a connection.
#[derive(Debug, Default)]
struct Traffic {
    /// Every statement that was sent, `BEGIN` and `COMMIT` too.
    sent: Vec<String>,
    /// Those that were prepared first, which is one more round trip each.
    prepared: Vec<String>,
}

/// Listens to the database's only connection from now on.
fn listen(database: &Database) -> Arc<Mutex<Traffic>> {
    let traffic = Arc::<Mutex<Traffic>>::default();
    let heard = Arc::clone(&traffic);
    let mut connection = database.connection().unwrap();
    let Db::Postgres(postgres) = &mut connection.db else { panic!("no PostgreSQL") };
    postgres.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let mut heard = heard.lock().unwrap();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => heard.sent.push(query.to_string()),
            InstrumentationEvent::CacheQuery { sql, .. } => heard.prepared.push(sql.to_owned()),
            _ => {}
        }
    });
    traffic
}

/// Provisions `count` accounts as the use case does, from the statements' point of view.
fn provision(store: &Arc<dyn TenantStore>, count: usize, round: usize) {
    let config = sample::stored_config("25k-eval-v1", 1);
    let tenant = tenantry_domain::id::TenantId::new(uuid::Uuid::from_u128(7));
    let accounts: Vec<_> = (0..count).map(|_| sample::account_of(tenant, &config)).collect();
    let responses: Vec<_> = (0..count).map(|i| sample::response(&format!("key-{round}-{i}"))).collect();
    let keys: Vec<_> = responses.iter().map(|response| response.key.scope.as_str()).collect();
    let outcome: Result<(), StoreError> = store.write(|tx| {
        let head: LogHead = tx.log().lock()?;
        tx.settings().get()?;
        assert!(tx.idempotency().find(&keys, sample::at(-1))?.is_empty());
        assert_eq!(tx.configs().heads(std::slice::from_ref(&config.id))?.len(), 1);
        tx.accounts().insert(&accounts)?;
        tx.log().append(&sample::log_entries(tenant, head, count))?;
        tx.idempotency().insert(&responses, sample::at(-1))
    });
    outcome.unwrap();
}

#[test]
fn a_slice_of_accounts_takes_nine_round_trips_however_large_it_is() {
    let Some(place) = testing::postgres() else { return };
    let (database, store) = (place.tenant_database(), place.store());
    store.write(|tx| tx.configs().insert(&sample::stored_config("25k-eval-v1", 1))).unwrap();
    provision(&store, 2, 0);
    let traffic = listen(&database);
    for (round, count) in [(1, 1), (2, 7), (3, 64)] {
        *traffic.lock().unwrap() = Traffic::default();
        provision(&store, count, round);
        let Traffic { sent, prepared } = &*traffic.lock().unwrap();
        assert_eq!(sent.len(), 9, "{count}: {sent:#?}");
        assert!(prepared.is_empty(), "{count}: {prepared:#?}");
    }
}

#[test]
fn reading_accounts_takes_one_round_trip() {
    let Some(place) = testing::postgres() else { return };
    let (database, store) = (place.tenant_database(), place.store());
    let traffic = listen(&database);
    for ids in [1, 2, 50] {
        let ids: Vec<_> = (0..ids).map(|_| sample::id()).collect();
        store.read(|tx| tx.accounts().get(&ids)).unwrap();
    }
    let Traffic { sent, prepared } = &*traffic.lock().unwrap();
    assert_eq!((sent.len(), prepared.len()), (3, 1), "{sent:#?}");
}
