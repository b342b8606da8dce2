//! Facts about users and their sign-ins.

use std::sync::{Arc, Barrier};

use tenantry_domain::people::{Role, User};
use tenantry_ports::{Constraint, Credentials, StoreResult, TenantStore};

use crate::contract::{Subject, conflict, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn add(store: &Store, user: &User) -> StoreResult<()> {
    store.write(|tx| tx.users().insert(user, "$argon2id$hash"))
}

fn stored(store: &Store, user: &User) -> Option<User> {
    store.read(|tx| tx.users().get(user.id)).expect("a look-up")
}

fn credentials(store: &Store, address: &str) -> Option<Credentials> {
    store.read(|tx| tx.users().credentials(&sample::email(address))).expect("a look-up")
}

/// Every member of a user comes back as it went in, whatever their role.
pub fn a_user_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    for role in Role::ALL {
        let mut user = sample::user(&format!("user-{}", role.as_str()));
        user.role = role;
        user.abilities = role.abilities();
        (user.active, user.verified) = (role == Role::Admin, role == Role::Vendor);
        (user.first_name, user.last_name) = (user.last_name, user.first_name);
        (user.version, user.updated_at) = (3, sample::at(5));
        add(&store, &user).expect("the user is added");
        assert_eq!(stored(&store, &user), Some(user));
    }
    assert_eq!(stored(&store, &sample::user("unknown")), None);
}

/// Somebody is found by their address however it is written, and it is kept as it was written.
pub fn credentials_are_found_by_folded_address(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut user = sample::user("someone");
    user.email = sample::email("Jörg.ÄRGER@Example.COM");
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
    store.write(|tx| tx.users().insert(&user, hash)).expect("the user is added");
    let expected = Some(Credentials { user, password_hash: hash.to_owned() });
    for spelling in ["Jörg.ÄRGER@Example.COM", "jörg.ärger@example.com", "JÖRG.ÄRGER@EXAMPLE.COM"] {
        assert_eq!(credentials(&store, spelling), expected, "{spelling}");
    }
    assert_eq!(credentials(&store, "jorg.arger@example.com"), None);
}

/// One address has one user, also if it is written differently.
pub fn an_address_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let first = sample::user("somebody");
    let mut second = sample::user("second");
    second.email = sample::email("SomeBody@Example.Com");
    add(&store, &first).expect("the user is added");
    assert!(conflict(&add(&store, &second), Constraint::UserEmail));
    assert_eq!((stored(&store, &second), stored(&store, &first)), (None, Some(first)));
}

/// One username has one user.
pub fn a_username_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let first = sample::user("somebody");
    let mut second = sample::user("second");
    second.username = first.username.clone();
    add(&store, &first).expect("the user is added");
    assert!(conflict(&add(&store, &second), Constraint::Username));
    assert_eq!(stored(&store, &second), None);
}

/// Of many who want one address at once, one gets it.
pub fn of_concurrent_users_with_one_address_one_wins(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|i| {
                let (store, start) = (&store, &start);
                scope.spawn(move || {
                    let mut user = sample::user(&format!("contestant-{i}"));
                    user.email = sample::email("contested@example.com");
                    start.wait();
                    add(store, &user)
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::UserEmail)).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
}

/// Pages are in order of id, however people were added, and bring the hashes of their passwords.
pub fn pages_of_people_are_in_order_of_id(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let people: Vec<_> = (0..5).map(|i| sample::user(&format!("person-{i}"))).collect();
    for i in [3, 0, 4, 2, 1] {
        add(&store, &people[i]).expect("the user is added");
    }
    let with_hash = |user| Credentials { user, password_hash: "$argon2id$hash".to_owned() };
    let expected: Vec<_> = people.into_iter().map(with_hash).collect();
    let page = |after, limit| store.read(|tx| tx.users().page(after, limit)).expect("a page");
    assert_eq!(page(None, 2), expected[..2]);
    assert_eq!(page(Some(expected[1].user.id), 2), expected[2..4]);
    assert_eq!(page(Some(expected[3].user.id), 2), expected[4..]);
    assert!(page(Some(expected[4].user.id), 2).is_empty());
    assert_eq!(page(None, 100), expected);
}

/// A sign-in is found by the hash of its token, and by nothing else.
pub fn a_session_is_found_by_its_token(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let user = sample::user("somebody");
    let (first, second) = (sample::session(&user), sample::session(&user));
    add(&store, &user).expect("the user is added");
    store
        .write(|tx| tx.sessions().insert(&first).and_then(|()| tx.sessions().insert(&second)))
        .expect("the sessions are added");
    let found = |hash: &[u8; 32]| store.read(|tx| tx.sessions().find(hash)).expect("a look-up");
    assert_eq!(found(&second.token_hash), Some(second));
    assert_eq!(found(&[0; 32]), None);
    let mut nearly = first.token_hash;
    nearly[31] ^= 1;
    assert_eq!(found(&nearly), None);
    assert_eq!(found(&first.token_hash), Some(first));
}
