//! What a slice of provisioned accounts costs.

use std::sync::Arc;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use tenantry_domain::account::TradePlace;
use tenantry_domain::id::AccountId;
use tenantry_domain::people::{Pace, Session};
use tenantry_ports::{AccountRepository, AccountRevision, LogHead, StoreError, StoreResult, TenantStore};
use tenantry_testkit::sample;

use crate::testing;
use crate::testing::traffic::{Ear, Traffic};

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
    let ear = Ear::on(&database);
    for (round, count) in [(1, 1), (2, 7), (3, 64)] {
        let Traffic { sent, prepared } = ear.hear(|| provision(&store, count, round));
        assert_eq!(sent.len(), 9, "{count}: {sent:#?}");
        assert!(prepared.is_empty(), "{count}: {prepared:#?}");
    }
}

/// Reads slices of several sizes, and says how many statements were sent, and how many of them prepared first.
fn reading<T>(
    read: fn(&mut dyn AccountRepository, &[AccountId]) -> StoreResult<T>,
) -> Option<(usize, usize)> {
    let place = testing::postgres()?;
    let (database, store) = (place.tenant_database(), place.store());
    let Traffic { sent, prepared } = Ear::on(&database).hear(|| {
        for ids in [1, 2, 50] {
            let ids: Vec<_> = (0..ids).map(|_| sample::id()).collect();
            store.read(|tx| read(tx.accounts(), &ids)).unwrap();
        }
    });
    Some((sent.len(), prepared.len()))
}

#[test]
fn reading_accounts_or_their_revisions_takes_one_round_trip() {
    for traffic in
        [reading(|accounts, ids| accounts.get(ids)), reading(|accounts, ids| accounts.revisions(ids))]
    {
        assert!(traffic.is_none_or(|traffic| traffic == (3, 1)), "{traffic:?}");
    }
}

#[test]
fn replacing_accounts_takes_one_round_trip_however_many_they_are() {
    let Some(place) = testing::postgres() else { return };
    let (database, store) = (place.tenant_database(), place.store());
    let config = sample::stored_config("25k-eval-v1", 1);
    let mut accounts: Vec<_> = (0..64).map(|_| sample::account_of(place.scope.tenant(), &config)).collect();
    store.write(|tx| tx.accounts().insert(&accounts)).unwrap();
    let ear = Ear::on(&database);
    for (count, prepared) in [(1, 1), (64, 0), (7, 0)] {
        let slice = &mut accounts[..count];
        slice.iter_mut().for_each(|account| account.version += 1);
        let traffic = ear.hear(|| store.write(|tx| tx.accounts().update(slice)).unwrap());
        assert_eq!(traffic.sent.len(), 1 + 2, "{:#?}", traffic.sent);
        assert_eq!(traffic.prepared.len(), prepared, "{:#?}", traffic.prepared);
    }
}

#[test]
fn a_slice_of_new_trades_takes_seven_round_trips_however_many_they_are() {
    let Some(place) = testing::postgres() else { return };
    let (database, store) = (place.tenant_database(), place.store());
    let (config, tenant) = (sample::stored_config("25k-eval-v1", 1), place.scope.tenant());
    let mut accounts: Vec<_> = (0..64).map(|_| sample::account_of(tenant, &config)).collect();
    store.write(|tx| tx.accounts().insert(&accounts)).unwrap();
    let mut trade = |count: usize, round: i64| {
        let slice = &mut accounts[..count];
        slice.iter_mut().for_each(|account| account.version += 1);
        let place = TradePlace { sequence: round, index: 0 };
        let applied: Vec<_> = slice
            .iter()
            .map(|account| sample::applied_trade(account.id, &format!("t-{round}"), place))
            .collect();
        let ids: Vec<_> = slice.iter().map(|account| account.id).collect();
        let outcome: Result<(), StoreError> = store.write(|tx| {
            let head = tx.log().lock()?;
            assert_eq!(tx.accounts().get(&ids)?.len(), count);
            assert!(tx.trades().realised(&[])?.is_empty());
            tx.accounts().update(slice)?;
            tx.trades().insert(&applied)?;
            tx.holdings().add(&[])?;
            tx.holdings().remove(&[])?;
            tx.log().append(&sample::log_entries(tenant, head, count))
        });
        outcome.unwrap();
    };
    trade(2, 1);
    let ear = Ear::on(&database);
    for (round, count) in [(2, 1), (3, 64), (4, 7)] {
        let Traffic { sent, prepared } = ear.hear(|| trade(count, round));
        assert_eq!(sent.len(), 7, "{count}: {sent:#?}");
        assert!(prepared.is_empty(), "{count}: {prepared:#?}");
    }
}

/// What the use cases do for somebody who signs in, from the statements' point of view; `BEGIN` and `COMMIT` are counted.
#[test]
fn signing_in_and_refreshing_take_a_handful_of_round_trips() {
    let Some(place) = testing::postgres() else { return };
    let (database, store) = (place.tenant_database(), place.store());
    let user = sample::user("somebody");
    store.write(|tx| tx.users().insert(&user, "$argon2id$hash")).unwrap();
    let tenant = place.scope.tenant();
    let sign_in = |key: [u8; 32], session: &Session| {
        let attempt: Result<_, StoreError> = store.write(|tx| {
            assert_eq!(tx.attempts().take(&key, &Pace::ACCOUNT, sample::now())?, None);
            tx.users().credentials(&user.email)
        });
        assert!(attempt.unwrap().is_some());
        let started: Result<(), StoreError> = store.write(|tx| {
            let head = tx.log().lock()?;
            tx.users().credentials(&user.email)?;
            tx.attempts().forget(&key)?;
            tx.sessions().remove_over(user.id, sample::at(-1))?;
            tx.sessions().insert(session)?;
            tx.log().append(&sample::log_entries(tenant, head, 1))
        });
        started.unwrap();
    };
    let refresh = |session: &Session| {
        let refreshed: Result<(), StoreError> = store.write(|tx| {
            tx.log().lock()?;
            tx.sessions().get(session.id)?;
            tx.users().get(user.id)?;
            tx.sessions().update(session)
        });
        refreshed.unwrap();
    };
    let sessions = [sample::session(&user), sample::session(&user)];
    sign_in([1; 32], &sessions[0]);
    refresh(&sessions[0]);
    let ear = Ear::on(&database);
    let Traffic { sent, .. } = ear.hear(|| sign_in([1; 32], &sessions[1]));
    assert_eq!(sent.len(), 6 + 8, "{sent:#?}");
    let Traffic { sent, .. } = ear.hear(|| refresh(&sessions[1]));
    assert_eq!(sent.len(), 6, "{sent:#?}");
    let Traffic { sent, .. } =
        ear.hear(|| assert!(store.read(|tx| tx.sessions().bearer(sessions[1].id)).unwrap().is_some()));
    assert_eq!(sent.len(), 1, "{sent:#?}");
}

/// A limit's value is bound, and SQLite compiles such a statement anew for every value it is given.
#[test]
fn what_is_looked_up_by_its_key_has_no_limit() {
    let place = testing::sqlite();
    let (database, store) = (place.tenant_database(), place.store());
    let id = sample::id();
    let Traffic { sent, .. } = Ear::on(&database).hear(|| {
        let read = store.read(|tx| {
            tx.settings().get()?;
            tx.users().get(sample::id())?;
            tx.users().credentials(&sample::email("ann@acme.example"))?;
            tx.sessions().get(sample::id())?;
            tx.sessions().bearer(sample::id())?;
            tx.accounts().get(&[id])?;
            tx.accounts().revisions(&[id])?;
            tx.idempotency().find(&["key"], sample::now())
        });
        assert!(read.unwrap().is_empty());
        store.write(|tx| tx.log().lock()).unwrap();
    });
    let selects: Vec<_> = sent.iter().filter(|sql| sql.contains("SELECT")).collect();
    assert_eq!(selects.len(), 9, "{sent:#?}");
    assert!(selects.iter().all(|sql| !sql.contains("LIMIT")), "{selects:#?}");
}

/// Whoever changes an account, it is seen: nothing is remembered below the use cases.
#[test]
fn a_change_by_another_connection_is_a_new_revision() {
    for place in testing::both() {
        let (store, config) = (place.store(), sample::stored_config("25k-eval-v1", 1));
        let account = sample::account_of(place.scope.tenant(), &config);
        let revision = || store.read(|tx| tx.accounts().revisions(&[account.id])).unwrap();
        store.write(|tx| tx.accounts().insert(std::slice::from_ref(&account))).unwrap();
        let before = AccountRevision::from(&account);
        assert_eq!(revision(), [(account.id, before)]);
        for (assignment, after) in [
            ("version = version + 1", AccountRevision { version: before.version + 1, ..before }),
            (
                "updated_at = updated_at + 1",
                AccountRevision {
                    updated_at: before.updated_at + TimeDelta::microseconds(1),
                    version: before.version + 1,
                },
            ),
        ] {
            let update = format!("UPDATE accounts SET {assignment} WHERE id = '{}'", account.id);
            place.tenant_database().connection().unwrap().db.batch_execute(&update).unwrap();
            assert_eq!(revision(), [(account.id, after)]);
        }
    }
}
