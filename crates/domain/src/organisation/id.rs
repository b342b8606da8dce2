use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::OrgKind;
use crate::id::{
    CompanyCodeKind, Id, IdKind, PlantKind, PorgAssignmentKind, PurchasingGroupKind, PurchasingOrgKind,
    StorageLocationKind,
};

/// The id of a unit of any kind, as in `cc_…`; the typed ids ([`PlantId`](crate::id::PlantId), …) are those of one kind.
/// In order of kind, and within a kind of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgId {
    kind: OrgKind,
    uuid: Uuid,
}

/// A kind of id that units have.
pub trait OrgIdKind: IdKind {
    /// Of which units.
    const KIND: OrgKind;
}

macro_rules! kinds {
    ($($id:ident = $kind:ident;)*) => {
        $(impl OrgIdKind for $id {
            const KIND: OrgKind = OrgKind::$kind;
        })*

        impl OrgKind {
            /// What the ids of its units begin with, as in `plant`.
            pub const fn prefix(self) -> &'static str {
                match self {
                    $(Self::$kind => $id::PREFIX,)*
                }
            }
        }
    };
}

kinds! {
    CompanyCodeKind = CompanyCode;
    PlantKind = Plant;
    StorageLocationKind = StorageLocation;
    PurchasingOrgKind = PurchasingOrg;
    PurchasingGroupKind = PurchasingGroup;
    PorgAssignmentKind = PorgAssignment;
}

/// The text is no id of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of a unit of the organisation, as in `cc_` followed by 32 hexadecimal digits")]
pub struct InvalidOrgId;

impl OrgId {
    /// The id of a unit of this kind over this UUID.
    pub const fn new(kind: OrgKind, uuid: Uuid) -> Self {
        Self { kind, uuid }
    }

    /// What it identifies.
    pub const fn kind(self) -> OrgKind {
        self.kind
    }

    /// The UUID without its prefix.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The same as an id of one kind; none if it is of another.
    pub fn typed<K: OrgIdKind>(self) -> Option<Id<K>> {
        (self.kind == K::KIND).then(|| Id::new(self.uuid))
    }
}

impl<K: OrgIdKind> From<Id<K>> for OrgId {
    fn from(id: Id<K>) -> Self {
        Self::new(K::KIND, id.uuid())
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.kind.prefix(), self.uuid.as_simple())
    }
}

impl fmt::Debug for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OrgId {
    type Err = InvalidOrgId;

    fn from_str(text: &str) -> Result<Self, InvalidOrgId> {
        fn of<K: OrgIdKind>(text: &str) -> Option<OrgId> {
            text.parse::<Id<K>>().ok().map(OrgId::from)
        }
        of::<CompanyCodeKind>(text)
            .or_else(|| of::<PlantKind>(text))
            .or_else(|| of::<StorageLocationKind>(text))
            .or_else(|| of::<PurchasingOrgKind>(text))
            .or_else(|| of::<PurchasingGroupKind>(text))
            .or_else(|| of::<PorgAssignmentKind>(text))
            .ok_or(InvalidOrgId)
    }
}

impl Serialize for OrgId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OrgId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CompanyCodeId, PlantId};

    #[test]
    fn an_id_of_every_kind_is_read_back_with_its_kind() {
        for kind in OrgKind::ALL {
            let id = OrgId::new(kind, Uuid::from_u128(0xa));
            assert_eq!(id.to_string().parse(), Ok(id), "{kind}");
            assert_eq!(serde_json::from_value::<OrgId>(serde_json::to_value(id).unwrap()).unwrap(), id);
        }
        for wrong in ["", "cc_", "usr_0195c0de00007000800000000000000a", "0195c0de00007000800000000000000a"] {
            assert_eq!(wrong.parse::<OrgId>(), Err(InvalidOrgId), "{wrong}");
        }
    }

    #[test]
    fn it_is_a_typed_id_of_its_own_kind_alone() {
        let id: PlantId = "plant_0195c0de00007000800000000000000a".parse().unwrap();
        let any = OrgId::from(id);
        assert_eq!((any.kind(), any.typed(), any.typed()), (OrgKind::Plant, Some(id), None::<CompanyCodeId>));
    }
}
