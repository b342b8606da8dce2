//! Registering and changing people.

use serde_json::{Value, json};
use tenantry_domain::people::{Ability, PersonName, Role, User, UserChange, Username};
use tenantry_domain::tenant::Tenant;
use tenantry_ports::{IdempotencyKey, Secret, StoreError, UserFilter};
use tenantry_usecases::Policy;
use tenantry_usecases::users::{
    ChangeUser, ChangeUserError, RegisterError, RegisterUser, Registered, change, find, list, register,
};

use crate::{Acme, wish};

fn view(user: &User, tenant: &Tenant) -> Value {
    json!({ "username": user.username, "tenant": tenant.slug })
}

impl Acme {
    fn register(&self, wish: RegisterUser) -> Result<Registered, RegisterError> {
        register(&self.test.platform, &self.tenant, &self.scope, wish, view)
    }

    fn change(&self, user: &User, change_to: UserChange) -> Result<User, ChangeUserError> {
        let wish = ChangeUser {
            user: user.id,
            version: None,
            change: change_to,
            actor: "operator".to_owned(),
            trace: "t".to_owned(),
        };
        change(&self.test.platform, &self.scope, wish)
    }
}

fn inactive() -> UserChange {
    UserChange { active: Some(false), ..UserChange::default() }
}

fn as_user() -> UserChange {
    UserChange { role: Some(Role::User), ..UserChange::default() }
}

#[test]
fn whoever_is_registered_can_sign_in_at_once_and_has_a_token_that_works() {
    let acme = Acme::new();
    let before = acme.log_length();
    let registered = acme.register(wish("john")).unwrap();
    assert_eq!(
        (&registered.view, registered.replayed),
        (&json!({ "username": "john", "tenant": "acme" }), false)
    );
    let claims = acme.who(&registered.access_token.unwrap()).unwrap();
    assert_eq!((claims.user, claims.role), (registered.id, Role::User));
    let user = find(&acme.test.platform, &acme.scope, registered.id).unwrap().unwrap();
    assert_eq!((user.active, user.verified, &user.abilities), (true, true, &Role::User.abilities()));
    let expected = json!({ "userId": user.id, "username": "john", "role": "USER", "by": "operator" });
    assert_eq!(acme.events(before), [("user.created".to_owned(), expected)]);
    acme.login("JOHN@acme.example", "SecurePassword123!").unwrap();
}

#[test]
fn the_operator_may_want_no_token_given() {
    let acme = Acme::with(Policy { register_returns_token: false, ..Policy::default() });
    assert!(acme.register(wish("john")).unwrap().access_token.is_none());
}

#[test]
fn what_is_taken_or_not_good_enough_is_refused_and_leaves_nothing() {
    let acme = Acme::new();
    acme.register(wish("john")).unwrap();
    let before = acme.log_length();
    let email = RegisterUser { username: Some(Username::new("other").unwrap()), ..wish("JOHN") };
    assert!(matches!(acme.register(email), Err(RegisterError::EmailTaken)));
    let username = RegisterUser { username: Some(Username::new("john").unwrap()), ..wish("other") };
    assert!(matches!(acme.register(username), Err(RegisterError::UsernameTaken)));
    let useless = Ability { actions: Vec::new(), subjects: vec!["Tender".to_owned()], conditions: None };
    let weak = RegisterUser { password: Secret::new("acme"), abilities: Some(vec![useless]), ..wish("weak") };
    let Err(RegisterError::Invalid(findings)) = acme.register(weak) else { panic!("registered") };
    let pointers: Vec<_> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
    assert_eq!(pointers, ["/password", "/password", "/abilities/0/actions"]);
    assert_eq!(acme.log_length(), before);
    assert_eq!(list(&acme.test.platform, &acme.scope, &UserFilter::default(), None, 10).unwrap().len(), 2);
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_no_token_is_stored_for_it() {
    let acme = Acme::new();
    let key = |fingerprint| Some(IdempotencyKey { scope: "john".to_owned(), fingerprint });
    let request = || RegisterUser { idempotency: key([1; 32]), ..wish("john") };
    let first = acme.register(request()).unwrap();
    let before = acme.log_length();
    acme.test.clock.advance(chrono::TimeDelta::seconds(90));
    let again = acme.register(request()).unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!(
        (again.id, again.view, again.access_token.as_ref()),
        (first.id, first.view, first.access_token.as_ref())
    );
    let other = RegisterUser { idempotency: key([2; 32]), ..wish("john") };
    assert!(matches!(acme.register(other), Err(RegisterError::KeyReused)));
    assert_eq!(acme.log_length(), before);
    let store = acme.test.platform.stores.open(&acme.scope).unwrap();
    let since = chrono::DateTime::UNIX_EPOCH;
    let kept = store.read::<_, StoreError>(|tx| tx.idempotency().find(&["john"], since)).unwrap();
    let kept = String::from_utf8(kept[0].body.clone()).unwrap();
    assert!(!kept.contains(first.access_token.unwrap().expose()), "{kept}");
}

#[test]
fn a_change_is_kept_with_its_event_and_no_change_leaves_nothing() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    let before = acme.log_length();
    let first_name = Some(Some(PersonName::new("John").unwrap()));
    let changed = acme.change(&john.user, UserChange { first_name, ..UserChange::default() }).unwrap();
    assert_eq!((changed.version, changed.first_name.as_ref().map(PersonName::as_str)), (2, Some("John")));
    assert_eq!(acme.change(&john.user, UserChange::default()).unwrap(), changed);
    assert_eq!(find(&acme.test.platform, &acme.scope, john.user.id).unwrap(), Some(changed));
    let [(kind, data)] = &acme.events(before)[..] else { panic!("one event") };
    assert_eq!((kind.as_str(), &data["changed"]), ("user.updated", &json!(["firstName"])));
    assert_eq!((&data["by"], &data["sessionsEnded"]), (&json!("operator"), &json!(0)));
    assert!(acme.who(&john.access_token).is_some());
}

#[test]
fn whoever_is_disabled_is_signed_out_and_cannot_sign_in() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    let before = acme.log_length();
    acme.change(&john.user, inactive()).unwrap();
    assert_eq!(acme.who(&john.access_token), None);
    assert!(acme.login("john@acme.example", "SecurePassword123!").is_err());
    assert_eq!(acme.events(before)[0].1["sessionsEnded"], 2, "that of the registration, too");
}

#[test]
fn another_version_than_the_one_meant_is_not_changed() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User).user;
    let wish = |version| ChangeUser {
        user: john.id,
        version: Some(version),
        change: inactive(),
        actor: "operator".to_owned(),
        trace: "t".to_owned(),
    };
    let attempt = |version| change(&acme.test.platform, &acme.scope, wish(version));
    assert!(matches!(attempt(2), Err(ChangeUserError::Stale)));
    assert_eq!(attempt(1).unwrap().version, 2);
    assert!(matches!(attempt(1), Err(ChangeUserError::Stale)));
    let nobody = User { id: tenantry_testkit::sample::id(), ..john };
    assert!(matches!(acme.change(&nobody, inactive()), Err(ChangeUserError::NoSuchUser)));
}

#[test]
fn the_last_active_admin_stays_one() {
    let acme = Acme::new();
    let admin = acme.admin().user;
    let refused = |change_to| matches!(acme.change(&admin, change_to), Err(ChangeUserError::LastAdmin));
    assert!(refused(inactive()) && refused(as_user()));
    let second = acme.person("second", Role::Admin).user;
    acme.change(&second, inactive()).unwrap();
    assert!(refused(inactive()), "one who cannot sign in does not count");
    acme.change(&second, UserChange { active: Some(true), ..UserChange::default() }).unwrap();
    acme.change(&admin, as_user()).unwrap();
    assert!(matches!(acme.change(&second, as_user()), Err(ChangeUserError::LastAdmin)));
}

/// Two admins who demote each other at the same moment: one of them is too late.
#[test]
fn two_admins_do_not_demote_each_other() {
    let acme = Acme::new();
    let admins = [acme.admin().user, acme.person("second", Role::Admin).user];
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads = admins.each_ref().map(|admin| {
            let acme = &acme;
            scope.spawn(move || acme.change(admin, as_user()).is_ok())
        });
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 1);
}
