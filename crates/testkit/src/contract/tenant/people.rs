//! Facts about users and their sign-ins.

use std::sync::{Arc, Barrier};

use tenantry_domain::people::{Role, User};
use tenantry_ports::{Constraint, Credentials, StoreError, StoreResult, TenantStore, UserFilter};

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

/// A change replaces every member but the password, and says which version it was made to.
pub fn a_user_is_changed_version_by_version(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let first = sample::user("somebody");
    add(&store, &first).expect("the user is added");
    let mut changed = sample::user("other-name");
    (changed.id, changed.version) = (first.id, 2);
    (changed.role, changed.abilities) = (Role::Vendor, Role::Vendor.abilities());
    (changed.active, changed.verified, changed.first_name) = (false, false, None);
    (changed.created_at, changed.updated_at) = (first.created_at, sample::at(9));
    let update = |user: &User| store.write(|tx| tx.users().update(user));
    update(&changed).expect("the user is changed");
    assert_eq!(stored(&store, &first), Some(changed.clone()));
    let known = credentials(&store, changed.email.as_str()).expect("the password stays");
    assert_eq!(known.password_hash, "$argon2id$hash");
    assert!(matches!(update(&changed), Err(StoreError::Stale)));
    let unknown = User { version: 2, ..sample::user("unknown") };
    assert!(matches!(update(&unknown), Err(StoreError::Stale)));
    let third = sample::user("third");
    add(&store, &third).expect("the user is added");
    let taken = User { email: third.email.clone(), version: 3, ..changed.clone() };
    assert!(conflict(&update(&taken), Constraint::UserEmail));
    let taken = User { username: third.username, version: 3, ..changed.clone() };
    assert!(conflict(&update(&taken), Constraint::Username));
    assert_eq!(stored(&store, &first), Some(changed));
}

/// A new password is no change of the user.
pub fn a_password_is_replaced_and_nothing_else(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (user, other) = (sample::user("somebody"), sample::user("other"));
    add(&store, &user).and_then(|()| add(&store, &other)).expect("the users are added");
    let set = |user: &User| store.write(|tx| tx.users().set_password(user.id, "$argon2id$new"));
    set(&user).expect("the password is replaced");
    let known = |user: &User| credentials(&store, user.email.as_str()).expect("there they are");
    let expected = Credentials { user: user.clone(), password_hash: "$argon2id$new".to_owned() };
    assert_eq!(known(&user), expected);
    assert_eq!(known(&other).password_hash, "$argon2id$hash");
    assert!(matches!(set(&sample::user("unknown")), Err(StoreError::Stale)));
}

/// Lists are newest first, go on after a user, and are filtered by all that is said.
pub fn people_are_listed_newest_first_and_filtered(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut people: Vec<_> = ["ann", "ben_1", "benx1", "Carl"].map(sample::user).into();
    people[1].role = Role::Admin;
    people[2].active = false;
    people[3].email = sample::email("50_Percent@Example.com");
    people.iter().for_each(|user| add(&store, user).expect("the user is added"));
    people.reverse();
    let list = |filter: UserFilter, after: Option<&User>, limit| {
        let found = store.read(|tx| tx.users().list(&filter, after.map(|user| user.id), limit));
        found.expect("a list")
    };
    let everybody = UserFilter::default;
    assert_eq!(list(everybody(), None, 10), people);
    assert_eq!(list(everybody(), None, 2), people[..2]);
    assert_eq!(list(everybody(), Some(&people[1]), 2), people[2..]);
    assert!(list(everybody(), Some(&people[3]), 2).is_empty());
    let text = |text: &str| UserFilter { text: Some(text.to_owned()), ..everybody() };
    for (filter, expected) in [
        (UserFilter { role: Some(Role::Admin), ..everybody() }, &people[2..3]),
        (UserFilter { active: Some(false), ..everybody() }, &people[1..2]),
        (UserFilter { active: Some(true), role: Some(Role::Vendor), text: None }, &[]),
        (text("BEN"), &people[1..3]),
        (text("ben_"), &people[2..3]),
        (text("carl"), &people[..1]),
        (text("0_percent@example"), &people[..1]),
        (text("%"), &[]),
        (text("\\"), &[]),
        (
            UserFilter { active: Some(true), ..text("example.com") },
            &[people[0].clone(), people[2].clone(), people[3].clone()],
        ),
    ] {
        assert_eq!(list(filter.clone(), None, 10), expected, "{filter:?}");
    }
}
