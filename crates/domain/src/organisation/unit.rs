use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{OrgContent, OrgId, OrgKind};
use crate::timestamp;

/// A unit of a tenant's organisation, or an assignment between two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgUnit {
    /// Its id, which is of the kind of its content.
    pub id: OrgId,
    /// What is set about it.
    #[serde(flatten)]
    pub content: OrgContent,
    /// Counts the changes from 1; a change says which version it was made to.
    pub version: i64,
    /// When it was created, in whole milliseconds.
    #[serde(with = "timestamp")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed, in whole milliseconds.
    #[serde(with = "timestamp")]
    pub updated_at: DateTime<Utc>,
}

impl OrgUnit {
    /// The unit as it begins.
    pub fn create(uuid: Uuid, content: OrgContent, at: DateTime<Utc>) -> Self {
        let at = timestamp::whole_millis(at);
        Self { id: OrgId::new(content.kind(), uuid), content, version: 1, created_at: at, updated_at: at }
    }

    /// The unit with other content of its kind; none where nothing is different.
    pub fn replaced(&self, content: OrgContent, at: DateTime<Utc>) -> Option<Self> {
        (self.content != content).then(|| Self {
            content,
            version: self.version + 1,
            updated_at: timestamp::whole_millis(at),
            ..*self
        })
    }

    /// What it is.
    pub const fn kind(&self) -> OrgKind {
        self.id.kind()
    }

    /// Its code; an assignment has its id.
    pub fn code(&self) -> String {
        self.content.label().map_or_else(|| self.id.to_string(), |label| label.code.to_string())
    }

    /// What it is looked for by: code and name in lower case. An assignment is not looked for.
    pub fn folded(&self) -> Option<String> {
        self.content.label().map(|label| format!("{}\n{}", label.code, label.name).to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    fn content(name: &str) -> OrgContent {
        serde_json::from_value(json!({ "kind": "company_code", "code": "CC1", "name": name })).unwrap()
    }

    #[test]
    fn a_change_counts_and_what_is_the_same_is_none() {
        let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_500);
        let unit = OrgUnit::create(Uuid::from_u128(1), content("Ärzte"), at);
        assert_eq!(unit.replaced(content("Ärzte"), at), None);
        let changed = unit.replaced(content("Other"), at + TimeDelta::seconds(1)).unwrap();
        assert_eq!((changed.id, changed.version, changed.created_at), (unit.id, 2, unit.created_at));
        assert_eq!(changed.updated_at, unit.updated_at + TimeDelta::seconds(1));
        assert_eq!(unit.folded().unwrap(), "cc1\närzte");
    }

    #[test]
    fn a_unit_is_read_back_exactly_as_it_is_written() {
        let unit = OrgUnit::create(Uuid::from_u128(1), content("One"), DateTime::UNIX_EPOCH);
        let written = serde_json::to_string(&unit).unwrap();
        assert_eq!(serde_json::from_str::<OrgUnit>(&written).unwrap(), unit);
        assert!(written.contains("\"kind\":\"company_code\",\"code\":\"CC1\""), "{written}");
    }
}
