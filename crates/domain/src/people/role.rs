use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a person is in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// May do everything.
    Admin,
    /// Creates tenders and scores bids.
    #[default]
    User,
    /// Submits bids.
    Vendor,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Role '{0}' is not one of ADMIN, USER, VENDOR")]
pub struct InvalidRole(pub String);

/// A set of things a person may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ability {
    /// What may be done; `manage` is everything.
    pub actions: Vec<String>,
    /// To what; `all` is everything.
    pub subjects: Vec<String>,
    /// Only to subjects whose members have these values; `{{userId}}` stands for the person's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Map<String, Value>>,
}

impl Ability {
    fn new(actions: &[&str], subject: &str) -> Self {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Self { actions, subjects: vec![subject.to_owned()], conditions: None }
    }

    fn only_if(mut self, member: &str, value: &str) -> Self {
        self.conditions.get_or_insert_default().insert(member.to_owned(), value.into());
        self
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::User, Self::Vendor];

    /// The role's name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::User => "USER",
            Self::Vendor => "VENDOR",
        }
    }

    /// What a person with this role may do, unless it is said otherwise of that person.
    pub fn abilities(self) -> Vec<Ability> {
        match self {
            Self::Admin => vec![Ability::new(&["manage"], "all")],
            Self::User => vec![
                Ability::new(&["create", "read", "update"], "Tender").only_if("creatorId", "{{userId}}"),
                Ability::new(&["read", "score"], "Bid"),
            ],
            Self::Vendor => vec![
                Ability::new(&["read"], "Tender").only_if("status", "published"),
                Ability::new(&["create", "submit", "manage"], "Bid").only_if("vendorId", "{{userId}}"),
            ],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| InvalidRole(text.to_owned()))
    }
}

/// What the roles are, said for people who assign them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleConfig {
    /// Every role.
    pub roles: Vec<RoleTemplate>,
}

/// One role, said for people who assign it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleTemplate {
    /// The role.
    pub role: Role,
    /// Its permissions in short; `*` is everything.
    pub permissions: Vec<String>,
    /// One line.
    pub description: String,
}

/// The static role configuration template.
pub fn role_config() -> RoleConfig {
    let template = |role| {
        let (permissions, description): (&[&str], _) = match role {
            Role::Admin => (&["*"], "System administrator with full access"),
            Role::User => (
                &["read:tenders", "create:tenders", "score:bids"],
                "Internal user who can create tenders and score bids",
            ),
            Role::Vendor => {
                (&["read:own", "create:bids", "submit:bids"], "External vendor who can submit bids")
            }
        };
        let permissions = permissions.iter().map(|&permission| permission.to_owned()).collect();
        RoleTemplate { role, permissions, description: description.to_owned() }
    };
    RoleConfig { roles: Role::ALL.map(template).to_vec() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_abilities_of_a_user_are_those_of_the_source() {
        assert_eq!(
            serde_json::to_value(Role::User.abilities()).unwrap(),
            json!([
                {
                    "actions": ["create", "read", "update"],
                    "subjects": ["Tender"],
                    "conditions": { "creatorId": "{{userId}}" }
                },
                { "actions": ["read", "score"], "subjects": ["Bid"] }
            ])
        );
        assert_eq!(
            serde_json::to_value(Role::Admin.abilities()).unwrap(),
            json!([{ "actions": ["manage"], "subjects": ["all"] }])
        );
    }

    #[test]
    fn vendors_touch_only_their_own_bids() {
        let abilities = Role::Vendor.abilities();
        let bids = abilities.iter().find(|ability| ability.subjects == ["Bid"]).unwrap();
        assert_eq!(bids.conditions.as_ref().unwrap()["vendorId"], "{{userId}}");
        assert!(abilities.iter().all(|ability| ability.conditions.is_some()));
    }

    #[test]
    fn the_role_configuration_is_that_of_the_source() {
        assert_eq!(
            serde_json::to_value(role_config()).unwrap(),
            json!({
                "roles": [
                    {
                        "role": "ADMIN",
                        "permissions": ["*"],
                        "description": "System administrator with full access"
                    },
                    {
                        "role": "USER",
                        "permissions": ["read:tenders", "create:tenders", "score:bids"],
                        "description": "Internal user who can create tenders and score bids"
                    },
                    {
                        "role": "VENDOR",
                        "permissions": ["read:own", "create:bids", "submit:bids"],
                        "description": "External vendor who can submit bids"
                    }
                ]
            })
        );
    }

    #[test]
    fn roles_are_named_alike_everywhere_and_default_to_user() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!(Role::default(), Role::User);
        assert!("admin".parse::<Role>().is_err());
    }
}
