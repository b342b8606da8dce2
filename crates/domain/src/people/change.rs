use chrono::{DateTime, Utc};

use super::{Ability, PersonName, Role, User};
use crate::timestamp;

/// What is to be different about a person; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserChange {
    /// Another first name, or none any more.
    pub first_name: Option<Option<PersonName>>,
    /// Another last name, or none any more.
    pub last_name: Option<Option<PersonName>>,
    /// Another role. Whoever had the abilities of the old one gets those of the new one.
    pub role: Option<Role>,
    /// Other abilities; none for those of the role.
    pub abilities: Option<Option<Vec<Ability>>>,
    /// Whether they may sign in.
    pub active: Option<bool>,
}

impl User {
    /// Changes what is to be different, and names what is; nothing (and no new version), if nothing is.
    pub fn change(&mut self, change: UserChange, at: DateTime<Utc>) -> Vec<&'static str> {
        let before = self.clone();
        self.first_name = change.first_name.unwrap_or(self.first_name.take());
        self.last_name = change.last_name.unwrap_or(self.last_name.take());
        self.active = change.active.unwrap_or(self.active);
        if let Some(role) = change.role {
            if self.abilities == self.role.abilities() {
                self.abilities = role.abilities();
            }
            self.role = role;
        }
        if let Some(abilities) = change.abilities {
            self.abilities = abilities.unwrap_or_else(|| self.role.abilities());
        }
        let differences = [
            ("firstName", self.first_name != before.first_name),
            ("lastName", self.last_name != before.last_name),
            ("role", self.role != before.role),
            ("abilities", self.abilities != before.abilities),
            ("active", self.active != before.active),
        ];
        let changed: Vec<_> =
            differences.into_iter().filter(|(_, differs)| *differs).map(|(member, _)| member).collect();
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = timestamp::whole_millis(at);
        }
        changed
    }

    /// Whether a tenant still has an admin because of this person.
    pub fn is_active_admin(&self) -> bool {
        self.active && self.role == Role::Admin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Email, UserToCreate};

    fn user() -> User {
        let new = UserToCreate {
            id: "usr_0195c0de00007000800000000000000a".parse().unwrap(),
            email: Email::new("john@acme.com").unwrap(),
            username: None,
            first_name: Some(PersonName::new("John").unwrap()),
            last_name: Some(PersonName::new("Doe").unwrap()),
            role: Role::User,
        };
        User::create(new, DateTime::UNIX_EPOCH)
    }

    fn later() -> DateTime<Utc> {
        "2025-01-10T15:00:00.1234Z".parse().unwrap()
    }

    #[test]
    fn what_is_absent_stays_and_what_is_the_same_is_no_change() {
        let mut same = user();
        assert_eq!(same.change(UserChange::default(), later()), [""; 0]);
        let restated = UserChange {
            role: Some(Role::User),
            active: Some(true),
            abilities: Some(None),
            ..UserChange::default()
        };
        assert_eq!(same.change(restated, later()), [""; 0]);
        assert_eq!(same, user());
        let mut renamed = user();
        let change = UserChange { first_name: Some(None), ..UserChange::default() };
        assert_eq!(renamed.change(change, later()), ["firstName"]);
        assert_eq!((renamed.first_name, renamed.last_name, renamed.version), (None, user().last_name, 2));
        assert_eq!(timestamp::to_text(renamed.updated_at), "2025-01-10T15:00:00.123Z");
    }

    #[test]
    fn abilities_follow_the_role_unless_they_were_given() {
        let vendor = || UserChange { role: Some(Role::Vendor), ..UserChange::default() };
        let mut follows = user();
        assert_eq!(follows.change(vendor(), later()), ["role", "abilities"]);
        assert_eq!(follows.abilities, Role::Vendor.abilities());
        let mut given = user();
        given.abilities = Role::Admin.abilities();
        assert_eq!(given.change(vendor(), later()), ["role"]);
        assert_eq!(given.abilities, Role::Admin.abilities());
        let back = UserChange { abilities: Some(None), ..UserChange::default() };
        assert_eq!(given.change(back, later()), ["abilities"]);
        assert_eq!(given.abilities, Role::Vendor.abilities());
    }

    #[test]
    fn only_an_admin_who_may_sign_in_is_an_active_admin() {
        for (role, active, expected) in
            [(Role::Admin, true, true), (Role::Admin, false, false), (Role::User, true, false)]
        {
            assert_eq!(User { role, active, ..user() }.is_active_admin(), expected);
        }
    }
}
