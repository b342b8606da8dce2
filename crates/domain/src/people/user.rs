use chrono::{DateTime, Utc};

use super::{Ability, Email, PersonName, Role, Username};
use crate::id::UserId;
use crate::timestamp;

/// A person who signs in to a tenant. The password's hash is kept apart from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Where to reach them, and what they sign in with; unique within the tenant, compared without case.
    pub email: Email,
    /// What they are known by; unique within the tenant.
    pub username: Username,
    /// Their first name, if they gave it.
    pub first_name: Option<PersonName>,
    /// Their last name, if they gave it.
    pub last_name: Option<PersonName>,
    /// What they are in the tenant.
    pub role: Role,
    /// What they may do: what their role says, until it is said otherwise of them.
    pub abilities: Vec<Ability>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether the address is known to be theirs.
    pub verified: bool,
    /// Counts the changes from 1; a change says which version it was made to.
    pub version: i64,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// When they were last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is known of a person before they exist here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToCreate {
    /// The id they get.
    pub id: UserId,
    /// Where to reach them.
    pub email: Email,
    /// What they are known by; if absent, made from the email address.
    pub username: Option<Username>,
    /// Their first name.
    pub first_name: Option<PersonName>,
    /// Their last name.
    pub last_name: Option<PersonName>,
    /// What they are in the tenant.
    pub role: Role,
}

impl User {
    /// The person as they begin: active and verified at once, since an administrator vouches for them, with the
    /// abilities of their role.
    pub fn create(user: UserToCreate, at: DateTime<Utc>) -> Self {
        let at = timestamp::whole_millis(at);
        Self {
            id: user.id,
            username: user.username.unwrap_or_else(|| Username::from_email(&user.email)),
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            role: user.role,
            abilities: user.role.abilities(),
            active: true,
            verified: true,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_begins_active_and_verified_with_the_abilities_of_the_role() {
        let new = UserToCreate {
            id: "usr_0195c0de00007000800000000000000a".parse().unwrap(),
            email: Email::new("admin@acme.com").unwrap(),
            username: None,
            first_name: Some(PersonName::new("Acme").unwrap()),
            last_name: None,
            role: Role::Admin,
        };
        let user = User::create(new, "2025-01-10T15:00:00.1234Z".parse().unwrap());
        assert_eq!(
            (user.username.as_str(), user.active, user.verified, user.version),
            ("admin", true, true, 1)
        );
        assert_eq!(user.abilities, Role::Admin.abilities());
        assert_eq!(timestamp::to_text(user.created_at), "2025-01-10T15:00:00.123Z");
    }
}
