//! Passwords that are changed, and hashes that are made anew.

use serde_json::json;
use tenantry_domain::people::Role;
use tenantry_ports::{Secret, StoreError};
use tenantry_testkit::sample;
use tenantry_usecases::sign_in::{ChangePassword, ChangePasswordError, SignedIn, change_password};

use crate::Acme;

impl Acme {
    fn new_password(&self, who: &SignedIn, current: &str, new: &str) -> Result<(), ChangePasswordError> {
        let claims = self.who(&who.access_token).unwrap();
        let wish = ChangePassword {
            user: claims.user,
            session: claims.session,
            current: Secret::new(current),
            new: Secret::new(new),
            trace: "t".to_owned(),
        };
        change_password(&self.test.platform, &self.tenant, &self.scope, &wish)
    }

    fn hash(&self, email: &str) -> String {
        let store = self.test.platform.stores.open(&self.scope).unwrap();
        let known = store.read::<_, StoreError>(|tx| tx.users().credentials(&sample::email(email)));
        known.unwrap().unwrap().password_hash
    }
}

const OLD: &str = "SecurePassword123!";
const NEW: &str = "correct horse battery staple";

#[test]
fn a_new_password_takes_the_place_of_the_old_and_ends_the_other_sessions() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    let elsewhere = acme.login("john@acme.example", OLD).unwrap();
    let before = acme.log_length();
    acme.new_password(&john, OLD, NEW).unwrap();
    assert!(acme.who(&john.access_token).is_some());
    assert_eq!(acme.who(&elsewhere.access_token), None);
    assert!(acme.login("john@acme.example", OLD).is_err());
    let expected = json!({ "userId": john.user.id, "sessionsEnded": 2, "by": john.user.id });
    assert_eq!(acme.events(before), [("user.password_changed".to_owned(), expected)]);
    acme.login("john@acme.example", NEW).unwrap();
}

#[test]
fn the_current_password_is_needed_and_guessed_at_slowly() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    let hash = acme.hash("john@acme.example");
    let wrong = (0..100)
        .filter(|_| matches!(acme.new_password(&john, "wrong", NEW), Err(ChangePasswordError::WrongPassword)))
        .count();
    assert!((5..=10).contains(&wrong), "{wrong}");
    assert!(matches!(acme.new_password(&john, OLD, NEW), Err(ChangePasswordError::TooEarly(_))));
    assert_eq!(acme.hash("john@acme.example"), hash);
    acme.login("john@acme.example", OLD).unwrap();
}

#[test]
fn a_password_that_is_no_better_is_refused() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    for (new, code) in [
        ("short", "too_short"),
        ("password123", "common_password"),
        ("Acme Corporation", "guessable_password"),
        ("john@acme.example", "guessable_password"),
        (OLD, "same_password"),
    ] {
        let Err(ChangePasswordError::Invalid(findings)) = acme.new_password(&john, OLD, new) else {
            panic!("{new}")
        };
        assert_eq!((findings[0].pointer.as_str(), findings[0].code.as_ref()), ("/newPassword", code));
    }
}

#[test]
fn a_hash_that_took_too_little_is_made_anew_when_its_owner_signs_in() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    let now = acme.hash("john@acme.example");
    let (_, rest) = now.strip_prefix("$fake$").unwrap().split_once('$').unwrap();
    let outdated = format!("$fake$0${rest}");
    let store = acme.test.platform.stores.open(&acme.scope).unwrap();
    store.write::<_, StoreError>(|tx| tx.users().set_password(john.user.id, &outdated)).unwrap();
    assert!(acme.login("john@acme.example", "wrong").is_err());
    assert_eq!(acme.hash("john@acme.example"), outdated);
    acme.login("john@acme.example", OLD).unwrap();
    let anew = acme.hash("john@acme.example");
    assert!(anew != outdated && anew != now, "{anew}");
    acme.login("john@acme.example", OLD).unwrap();
    assert_eq!(acme.hash("john@acme.example"), anew, "once is enough");
    assert_eq!(acme.login("john@acme.example", OLD).unwrap().user.version, john.user.version);
}
