//! Guessing passwords: slow for strangers, no matter how many or from where, and no bother to who has signed in before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::people::{Pace, Role, UserChange};
use tenantry_ports::{Clock as _, PasswordHasher, Secret};
use tenantry_testkit::FakePasswords;
use tenantry_usecases::Platform;
use tenantry_usecases::sign_in::{Login, LoginError, TooEarly, forget_old_attempts, login, login_nowhere};
use tenantry_usecases::users::{ChangeUser, change};

use crate::support::typed;
use crate::{ADMIN, Acme, PASSWORD};

impl Acme {
    fn attempt(&self, attempt: &Login) -> Result<(), LoginError> {
        login(&self.test.platform, &self.scope, attempt).map(drop)
    }

    /// Until when this attempt has to wait; none if it was evaluated.
    fn wait(&self, attempt: &Login) -> Option<DateTime<Utc>> {
        match self.attempt(attempt) {
            Err(LoginError::TooEarly(TooEarly { until, .. })) => Some(until),
            Err(LoginError::InvalidCredentials) => None,
            other => panic!("{other:?}"),
        }
    }

    fn seconds(&self, seconds: i64) {
        self.test.clock.advance(TimeDelta::seconds(seconds));
    }
}

fn from(address: u8, email: &str, password: &str) -> Login {
    Login { network: Some([198, 51, 100, address].into()), ..typed(email, password) }
}

#[test]
fn of_a_thousand_guesses_few_are_looked_at_and_the_owner_signs_in_after_the_wait() {
    let acme = Acme::new();
    let guess = |n: u8| from(n, ADMIN, "wrong");
    let evaluated = (0..1000).filter(|n| acme.wait(&guess((n % 200) as u8)).is_none()).count();
    assert!((5..=10).contains(&evaluated), "{evaluated}");
    let owner = from(201, ADMIN, PASSWORD);
    let until = acme.wait(&owner).unwrap();
    assert!(until - acme.test.clock.now() <= TimeDelta::minutes(15));
    acme.test.clock.set(until);
    acme.attempt(&owner).unwrap();
    assert_eq!(acme.wait(&guess(1)), None, "a success begins anew");
}

#[test]
fn the_wait_never_exceeds_its_limit_however_long_somebody_guesses() {
    let acme = Acme::new();
    let mut evaluated = 0;
    for n in 0..200_u8 {
        let now = acme.test.clock.now();
        match acme.wait(&from(n, ADMIN, "wrong")) {
            None => evaluated += 1,
            Some(until) => {
                assert!(until - now <= Pace::ACCOUNT.longest);
                acme.test.clock.set(until);
            }
        }
    }
    assert!(evaluated < 110, "{evaluated}");
}

#[test]
fn a_user_who_does_not_exist_is_guessed_at_as_slowly() {
    let acme = Acme::new();
    let now = acme.test.clock.now();
    let waits = |email: &str| -> Vec<_> {
        (0..12).map(|_| acme.wait(&from(1, email, "wrong")).map(|until| until - now)).collect()
    };
    assert_eq!(waits(ADMIN), waits("nobody@acme.example"));
    let nowhere: Vec<_> = (0..12)
        .map(|_| match login_nowhere(&acme.test.platform, "nowhere", None, &from(1, ADMIN, "wrong")) {
            LoginError::TooEarly(TooEarly { until, .. }) => Some(until - now),
            LoginError::InvalidCredentials => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nowhere, waits("nobody-else@acme.example"));
}

#[test]
fn strangers_do_not_keep_a_known_device_waiting() {
    let acme = Acme::new();
    let known = acme.admin().device_token;
    (0..20).for_each(|n| _ = acme.wait(&from(n, ADMIN, "wrong")));
    assert!(acme.wait(&from(30, ADMIN, PASSWORD)).is_some());
    let owner = || Login { device_token: Some(known.clone()), ..from(30, ADMIN, PASSWORD) };
    let again = login(&acme.test.platform, &acme.scope, &owner()).unwrap();
    assert_eq!(again.device_token, known, "it stays the same device");
    assert!(acme.wait(&from(31, ADMIN, PASSWORD)).is_some(), "strangers wait on");
    // It has a count of its own, which is no way around.
    let guess = || Login { password: Secret::new("wrong"), ..owner() };
    let evaluated = (0..100).filter(|_| acme.wait(&guess()).is_none()).count();
    assert!((5..=10).contains(&evaluated), "{evaluated}");
    acme.seconds(1);
    acme.attempt(&owner()).unwrap();
}

#[test]
fn a_device_is_known_at_its_own_account_alone() {
    let acme = Acme::new();
    let john = acme.person("john", Role::User);
    (0..20).for_each(|n| _ = acme.wait(&from(n, ADMIN, "wrong")));
    for token in [john.device_token, Secret::new("00".repeat(48)), Secret::new("x")] {
        let attempt = Login { device_token: Some(token), ..from(30, ADMIN, PASSWORD) };
        assert!(acme.wait(&attempt).is_some());
    }
}

#[test]
fn one_address_that_tries_many_accounts_is_slowed_and_others_are_not() {
    let acme = Acme::new();
    let spray = |n: u32| from(1, &format!("user{n}@acme.example"), "wrong");
    let evaluated = (0..200).filter(|n| acme.wait(&spray(*n)).is_none()).count();
    assert_eq!(evaluated, Pace::ADDRESS.free as usize + 1);
    assert!(acme.wait(&from(1, ADMIN, PASSWORD)).is_some());
    acme.attempt(&from(2, ADMIN, PASSWORD)).unwrap();
    acme.seconds(1);
    acme.attempt(&from(1, ADMIN, PASSWORD)).unwrap();
}

#[test]
fn many_addresses_that_try_many_accounts_take_turns_in_the_end() {
    let acme = Acme::new();
    let stuff = |n: u32| Login {
        network: Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into()),
        ..typed(&format!("user{n}@acme.example"), "wrong")
    };
    let known = acme.admin().device_token;
    let evaluated = (0..1200).filter(|n| acme.wait(&stuff(*n)).is_none()).count();
    assert_eq!(evaluated, Pace::EVERYWHERE.free as usize + 1);
    let until = acme.wait(&from(1, ADMIN, PASSWORD)).unwrap();
    assert!(until - acme.test.clock.now() <= TimeDelta::milliseconds(100));
    acme.attempt(&Login { device_token: Some(known), ..from(1, ADMIN, PASSWORD) }).unwrap();
    acme.test.clock.set(until);
    acme.attempt(&from(1, ADMIN, PASSWORD)).unwrap();
}

/// Anybody can make counts; what is left of them is gone when nobody remembers, and not before.
#[test]
fn what_many_addresses_tried_is_removed_once_it_is_forgotten() {
    let acme = Acme::new();
    let attempt = |n: u32| {
        let network = Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into());
        let guess = Login { network, ..typed(&format!("user{n}@acme.example"), "wrong") };
        login_nowhere(&acme.test.platform, "nowhere", None, &guess)
    };
    for n in 0..600 {
        assert!(matches!(attempt(n), LoginError::InvalidCredentials));
    }
    let forget = || forget_old_attempts(&acme.test.platform).unwrap();
    assert_eq!(forget(), 0);
    acme.test.clock.advance(Pace::EVERYWHERE.memory);
    assert_eq!(forget(), 1, "that of everywhere");
    acme.test.clock.advance(Pace::ADDRESS.memory);
    assert_eq!(forget(), 600, "those by address");
    acme.test.clock.advance(Pace::ACCOUNT.memory);
    assert_eq!((forget(), forget()), (600, 0), "and those by account");
}

#[test]
fn somebody_on_this_machine_is_counted_by_account_and_with_everybody_but_by_no_address() {
    let local = |n: u32| Login { network: None, ..typed(&format!("user{n}@acme.example"), "wrong") };
    let acme = Acme::new();
    assert!((0..20).any(|_| acme.wait(&local(1)).is_some()));
    let acme = Acme::new();
    let evaluated = (0..1200).filter(|n| acme.wait(&local(*n)).is_none()).count();
    assert_eq!(evaluated, Pace::EVERYWHERE.free as usize + 1);
}

/// Counts how often a password is looked at, which is what takes time.
#[derive(Default)]
struct Counting(FakePasswords, AtomicUsize);

impl PasswordHasher for Counting {
    fn hash(&self, password: &str) -> String {
        self.0.hash(password)
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.verify(password, hash)
    }

    fn is_outdated(&self, hash: &str) -> bool {
        self.0.is_outdated(hash)
    }
}

#[test]
fn every_attempt_that_is_evaluated_takes_one_hash_and_a_refused_one_takes_none() {
    let acme = Acme::new();
    let disabled = acme.person("disabled", Role::User).user;
    let wish = ChangeUser {
        user: disabled.id,
        version: None,
        change: UserChange { active: Some(false), ..UserChange::default() },
        actor: "operator".to_owned(),
        trace: "t".to_owned(),
    };
    change(&acme.test.platform, &acme.scope, wish).unwrap();
    let Acme { test, tenant, scope } = acme;
    let counting = Arc::new(Counting::default());
    let platform = Arc::into_inner(test.platform).unwrap();
    let platform = Platform { passwords: Arc::clone(&counting) as _, ..platform };
    let hashes = |attempt: &dyn Fn() -> LoginError| {
        let before = counting.1.load(Ordering::SeqCst);
        let error = attempt();
        (counting.1.load(Ordering::SeqCst) - before, error)
    };
    let at_acme = |attempt: Login| login(&platform, &scope, &attempt).unwrap_err();
    let nowhere = |tenant| login_nowhere(&platform, "it", tenant, &from(1, ADMIN, "wrong"));
    let attempts: [&dyn Fn() -> LoginError; 5] = [
        &|| at_acme(from(1, ADMIN, "wrong")),
        &|| at_acme(from(1, "nobody@acme.example", "wrong")),
        &|| at_acme(from(1, "disabled@acme.example", "SecurePassword123!")),
        &|| nowhere(None),
        &|| nowhere(Some(&tenant)),
    ];
    for attempt in attempts {
        let (hashes, error) = hashes(attempt);
        assert!(hashes == 1 && matches!(error, LoginError::InvalidCredentials), "{hashes} {error}");
    }
    for email in [ADMIN, "nobody@acme.example"] {
        let counts: Vec<_> = (0..20).map(|_| hashes(&|| at_acme(from(2, email, "wrong"))).0).collect();
        let evaluated = counts.iter().sum::<usize>();
        assert_eq!(counts[evaluated..], vec![0; 20 - evaluated], "{counts:?}");
        assert!(evaluated < 10, "{evaluated}");
    }
}
