use chrono::TimeDelta;
use tenantry_domain::people::{Device, Email, PersonName, Role, Session, User, UserToCreate, Username};
use tenantry_ports::{Digest as _, PendingAdmin};

use super::{ODD_TEXT, id, now};
use crate::FakeDigest;

/// The address.
///
/// # Panics
/// If it is none.
pub fn email(text: &str) -> Email {
    Email::new(text).expect("a valid e-mail address")
}

/// The username.
///
/// # Panics
/// If it is none.
pub fn username(text: &str) -> Username {
    Username::new(text).expect("a valid username")
}

fn name(text: &str) -> PersonName {
    PersonName::new(text).expect("a valid name")
}

/// The admin of a tenant to come.
pub fn pending_admin() -> PendingAdmin {
    PendingAdmin {
        id: id(),
        email: email("Jörg.Müller@acme.example"),
        username: username("jörg.müller"),
        first_name: Some(name(ODD_TEXT)),
        last_name: None,
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
    }
}

/// A user whose address is `<text>@example.com`, and who is called `text`.
///
/// # Panics
/// If that is no address, or `text` no username.
pub fn user(text: &str) -> User {
    let new = UserToCreate {
        id: id(),
        email: email(&format!("{text}@example.com")),
        username: Some(username(text)),
        first_name: Some(name(ODD_TEXT)),
        last_name: None,
        role: Role::User,
    };
    User::create(new, now())
}

/// A sign-in of this user.
pub fn session(user: &User) -> Session {
    let id = id();
    let token_hash = FakeDigest.sha256(id.uuid().as_bytes());
    let device = Device::new(Some(ODD_TEXT), Some([192, 0, 2, 7].into()));
    let lifetimes = (TimeDelta::seconds(604_800), TimeDelta::days(90));
    Session::begin(id, user.id, token_hash, device, now(), lifetimes)
}
