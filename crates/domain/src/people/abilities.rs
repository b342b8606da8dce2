use serde_json::{Map, Value};

use super::{Ability, User};
use crate::id::UserId;
use crate::{Finding, Pointer};

/// The action that is all of them.
const MANAGE: &str = "manage";
/// The subject that is all of them.
const ALL: &str = "all";
/// Stands for the person's own id in conditions.
const USER_ID: &str = "{{userId}}";

/// What one person may do: their [`Ability`] list with `{{userId}}` filled in. What no ability allows is not allowed.
///
/// ```
/// use serde_json::json;
/// use tenantry_domain::people::{Abilities, Role};
///
/// let me = "usr_0195c0de00007000800000000000000a".parse().unwrap();
/// let abilities = Abilities::filled(&Role::User.abilities(), me);
/// let tender = json!({ "creatorId": "usr_0195c0de00007000800000000000000a" });
/// assert!(abilities.allows("update", "Tender", tender.as_object().unwrap()));
/// assert!(!abilities.allows("delete", "Tender", tender.as_object().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities(Vec<Ability>);

impl Abilities {
    /// What this person may do. Nothing, if they are disabled.
    pub fn of(user: &User) -> Self {
        if user.active { Self::filled(&user.abilities, user.id) } else { Self(Vec::new()) }
    }

    /// These abilities in the hands of this person.
    pub fn filled(abilities: &[Ability], user: UserId) -> Self {
        let id = user.to_string();
        let fill = |ability: &Ability| Ability {
            conditions: ability.conditions.as_ref().map(|conditions| {
                conditions.iter().map(|(member, value)| (member.clone(), filled(value, &id))).collect()
            }),
            ..ability.clone()
        };
        Self(abilities.iter().map(fill).collect())
    }

    /// The abilities themselves, as they are shown to the person.
    pub fn as_slice(&self) -> &[Ability] {
        &self.0
    }

    /// Whether `action` may be done to a subject of the type `subject` of which `facts` are known: where some ability names
    /// the action (or `manage`) and the subject (or `all`), and all of its conditions are met.
    ///
    /// A condition is met where the subject has a member of that name with exactly that value. A name with dots leads into
    /// members of members: `owner.id` is the `id` of `owner`, unless there is a member that is called just so. What is not
    /// known of the subject meets no condition.
    pub fn allows(&self, action: &str, subject: &str, facts: &Map<String, Value>) -> bool {
        self.0.iter().any(|ability| {
            names(&ability.actions, action, MANAGE)
                && names(&ability.subjects, subject, ALL)
                && ability
                    .conditions
                    .iter()
                    .flatten()
                    .all(|(member, value)| known(facts, member) == Some(value))
        })
    }
}

fn names(list: &[String], wanted: &str, everything: &str) -> bool {
    list.iter().any(|one| one == wanted || one == everything)
}

fn known<'a>(facts: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    facts.get(path).or_else(|| {
        let (member, rest) = path.split_once('.')?;
        known(facts.get(member)?.as_object()?, rest)
    })
}

fn filled(value: &Value, id: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(USER_ID, id)),
        Value::Array(items) => items.iter().map(|item| filled(item, id)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), filled(member, id))).collect()
        }
        other => other.clone(),
    }
}

/// Most abilities of one person, most actions or subjects of one ability, and most of its conditions.
const MOST: usize = 32;
/// Most characters of an action, a subject or the name of a condition.
const LONGEST: usize = 64;

/// Everything that is wrong with abilities somebody is to be given, which are at `pointer`.
pub fn check_abilities(abilities: &[Ability], pointer: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if abilities.len() > MOST {
        let message = format!("A person has at most {MOST} abilities");
        findings.push(Finding::new(pointer.clone(), "too_many", message));
    }
    for (number, ability) in abilities.iter().enumerate() {
        let at = pointer.index(number);
        for (member, names) in [("actions", &ability.actions), ("subjects", &ability.subjects)] {
            if names.is_empty() || names.len() > MOST {
                let message = format!("There must be 1 to {MOST} {member}");
                findings.push(Finding::new(at.member(member), "invalid_length", message));
            }
            let wrong = |name: &String| !is_name(name);
            if let Some(number) = names.iter().position(wrong) {
                findings.push(misnamed(at.member(member).index(number)));
            }
        }
        let conditions = ability.conditions.iter().flatten();
        if ability.conditions.as_ref().is_some_and(|conditions| conditions.len() > MOST) {
            let message = format!("There are at most {MOST} conditions");
            findings.push(Finding::new(at.member("conditions"), "too_many", message));
        }
        if let Some((name, _)) = conditions.into_iter().find(|(name, _)| !is_name(name)) {
            findings.push(misnamed(at.member("conditions").member(name)));
        }
    }
    findings
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn misnamed(pointer: Pointer) -> Finding {
    let message = format!("A name has 1 to {LONGEST} characters and no white space");
    Finding::new(pointer, "invalid_name", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::people::Role;

    const ME: &str = "usr_0195c0de00007000800000000000000a";

    fn abilities(list: Value) -> Abilities {
        Abilities::filled(&serde_json::from_value::<Vec<Ability>>(list).unwrap(), ME.parse().unwrap())
    }

    fn facts(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_roles_allow_what_the_source_says_and_nothing_else() {
        let other = "usr_0195c0de00007000800000000000000b";
        let mine = || json!({ "creatorId": ME, "vendorId": ME, "status": "draft" });
        let theirs = || json!({ "creatorId": other, "vendorId": other, "status": "draft" });
        let published = || json!({ "creatorId": other, "vendorId": other, "status": "published" });
        for (role, action, subject, known, expected) in [
            (Role::Admin, "delete", "Tender", theirs(), true),
            (Role::Admin, "manage", "all", json!({}), true),
            (Role::User, "create", "Tender", mine(), true),
            (Role::User, "read", "Tender", mine(), true),
            (Role::User, "update", "Tender", mine(), true),
            (Role::User, "delete", "Tender", mine(), false),
            (Role::User, "read", "Tender", theirs(), false),
            (Role::User, "read", "Tender", json!({}), false),
            (Role::User, "read", "Bid", theirs(), true),
            (Role::User, "score", "Bid", json!({}), true),
            (Role::User, "submit", "Bid", mine(), false),
            (Role::User, "manage", "all", json!({}), false),
            (Role::Vendor, "read", "Tender", published(), true),
            (Role::Vendor, "read", "Tender", mine(), false),
            (Role::Vendor, "submit", "Bid", mine(), true),
            (Role::Vendor, "withdraw", "Bid", mine(), true),
            (Role::Vendor, "submit", "Bid", theirs(), false),
            (Role::Vendor, "score", "Bid", published(), false),
        ] {
            let abilities = Abilities::filled(&role.abilities(), ME.parse().unwrap());
            let allowed = abilities.allows(action, subject, &facts(known.clone()));
            assert_eq!(allowed, expected, "{role} {action} {subject} {known}");
        }
    }

    #[test]
    fn conditions_are_exact_and_may_lead_into_members() {
        let condition = |conditions: Value| {
            abilities(json!([{ "actions": ["read"], "subjects": ["Tender"], "conditions": conditions }]))
        };
        for (conditions, known, expected) in [
            (json!({}), json!({}), true),
            (json!({ "owner.id": "{{userId}}" }), json!({ "owner": { "id": ME } }), true),
            (json!({ "owner.id": "{{userId}}" }), json!({ "owner": { "id": "other" } }), false),
            (json!({ "owner.id": "{{userId}}" }), json!({ "owner": ME }), false),
            (json!({ "owner.id": "{{userId}}" }), json!({ "owner.id": ME }), true),
            (json!({ "a.b.c": 7 }), json!({ "a": { "b": { "c": 7 } } }), true),
            (json!({ "a.b.c": 7 }), json!({ "a": { "b.c": 7 } }), true),
            (json!({ "a": 7 }), json!({ "a": "7" }), false),
            (json!({ "a": null }), json!({}), false),
            (json!({ "a": null }), json!({ "a": null }), true),
            (json!({ "a": [1, "{{userId}}"] }), json!({ "a": [1, ME] }), true),
            (json!({ "a": { "by": "{{userId}}" } }), json!({ "a": { "by": ME } }), true),
            (json!({ "a": "user:{{userId}}" }), json!({ "a": format!("user:{ME}") }), true),
            (json!({ "a": 1, "b": 2 }), json!({ "a": 1 }), false),
            (json!({ "a": "{{userId}}" }), json!({ "a": "{{userId}}" }), false),
        ] {
            let allowed = condition(conditions.clone()).allows("read", "Tender", &facts(known.clone()));
            assert_eq!(allowed, expected, "{conditions} {known}");
        }
    }

    #[test]
    fn one_ability_is_enough_and_none_is_not() {
        let several = abilities(json!([
            { "actions": ["read"], "subjects": ["Tender"], "conditions": { "status": "open" } },
            { "actions": ["read"], "subjects": ["all"], "conditions": { "public": true } },
        ]));
        assert!(several.allows("read", "Tender", &facts(json!({ "status": "open" }))));
        assert!(several.allows("read", "Anything", &facts(json!({ "public": true }))));
        assert!(!several.allows("read", "Anything", &facts(json!({ "status": "open" }))));
        assert!(!abilities(json!([])).allows("read", "Tender", &Map::new()));
    }

    #[test]
    fn whoever_is_disabled_may_do_nothing() {
        let new = crate::people::UserToCreate {
            id: ME.parse().unwrap(),
            email: crate::people::Email::new("a@b.io").unwrap(),
            username: None,
            first_name: None,
            last_name: None,
            role: Role::Admin,
        };
        let mut user = User::create(new, chrono::DateTime::UNIX_EPOCH);
        assert!(Abilities::of(&user).allows("read", "Tender", &Map::new()));
        user.active = false;
        assert!(!Abilities::of(&user).allows("read", "Tender", &Map::new()));
        assert!(Abilities::of(&user).as_slice().is_empty());
    }

    #[test]
    fn what_is_wrong_with_abilities_is_told_all_at_once() {
        let list = json!([
            { "actions": [], "subjects": ["Tender"] },
            { "actions": ["read", "a b"], "subjects": ["x".repeat(65)], "conditions": { "": 1 } },
        ]);
        let list: Vec<Ability> = serde_json::from_value(list).unwrap();
        let findings = check_abilities(&list, &Pointer::root().member("abilities"));
        let found: Vec<_> =
            findings.iter().map(|finding| (finding.pointer.as_str(), finding.code.as_ref())).collect();
        assert_eq!(
            found,
            [
                ("/abilities/0/actions", "invalid_length"),
                ("/abilities/1/actions/1", "invalid_name"),
                ("/abilities/1/subjects/0", "invalid_name"),
                ("/abilities/1/conditions/", "invalid_name"),
            ]
        );
        for role in Role::ALL {
            assert_eq!(check_abilities(&role.abilities(), &Pointer::root()), []);
        }
    }
}
