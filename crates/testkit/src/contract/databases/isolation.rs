//! Facts about whose database it is.

use tenantry_domain::tenant::Settings;
use tenantry_ports::{DatabaseFault, Presence};

use super::presence;
use crate::contract::{Subject, scope};
use crate::sample::{self, permitted};

/// A database that somebody else made is not adopted, not migrated, not opened and not dropped.
pub fn a_foreign_database_is_left_alone(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    subject.make_foreign(scope.database());
    assert_eq!(presence(subject, &scope), Presence::Foreign);
    let refused = databases.create(&scope, &permitted).expect_err("it is not adopted");
    assert_eq!(refused.fault, DatabaseFault::Foreign, "{refused}");
    assert!(databases.migrate(&scope).is_err() && databases.pending(&scope).is_err());
    assert!(subject.stores().open(&scope).is_err());
    databases.remove(&scope, &permitted).expect("leaving it alone is no error");
    assert_eq!(presence(subject, &scope), Presence::Foreign);
}

/// Another tenant's database is as foreign as a stranger's, although it is one of ours.
pub fn another_tenants_database_is_foreign(subject: &dyn Subject) {
    let (databases, owner) = (subject.databases(), scope(subject, "acme"));
    let store = sample::opened(&*databases, &*subject.stores(), &owner);
    store.write(|tx| tx.settings().put(&Settings::default())).expect("the owner writes");
    let usurper = scope(subject, "acme");
    assert_eq!(usurper.database(), owner.database());

    assert_eq!(presence(subject, &usurper), Presence::Foreign);
    assert_eq!(
        databases.create(&usurper, &permitted).expect_err("it is not adopted").fault,
        DatabaseFault::Foreign
    );
    assert!(databases.migrate(&usurper).is_err() && databases.pending(&usurper).is_err());
    assert!(subject.stores().open(&usurper).is_err(), "it is not opened");
    databases.remove(&usurper, &permitted).expect("leaving it alone is no error");
    assert_eq!(presence(subject, &owner), Presence::Own);
    assert!(store.read(|tx| tx.settings().get()).expect("a look-up").is_some());
}

/// What one tenant writes, another does not see.
pub fn tenants_see_their_own_data_only(subject: &dyn Subject) {
    let (databases, stores) = (subject.databases(), subject.stores());
    let scopes = ["acme", "other", "other-one"].map(|slug| (slug, scope(subject, slug)));
    for (slug, scope) in &scopes {
        let store = sample::opened(&*databases, &*stores, scope);
        let user = sample::user("same-name");
        store.write(|tx| tx.users().insert(&user, "$hash")).expect("names are unique per tenant");
        let config = sample::stored_config(slug, 1);
        store.write(|tx| tx.configs().insert(&config)).expect("the config is added");
    }
    for (slug, scope) in &scopes {
        let store = stores.open(scope).expect("the database is opened");
        let heads = store.read(|tx| tx.configs().page(None, 10)).expect("a page");
        let ids: Vec<_> = heads.iter().map(|head| head.id.as_str()).collect();
        assert_eq!(ids, [*slug]);
    }
}
