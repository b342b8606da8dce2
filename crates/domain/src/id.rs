//! Typed ids: a kind's prefix, an underscore and 32 hexadecimal digits (`acc_0195…`).
//!
//! The digits are a UUID. Ids made by the `Ids` port are version 7 and therefore sort by the time they were made;
//! a tenant's is version 4, because it is the same identity as its provisioning id, which alone guards the
//! public status page.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

/// What an [`Id`] identifies; gives the prefix it is written with.
pub trait IdKind {
    /// The letters before the underscore, as in `acc`.
    const PREFIX: &'static str;
}

/// An id of one kind of thing; ids of different kinds are different types.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}_` followed by 32 hexadecimal digits")]
pub struct InvalidId {
    /// The prefix the text should have had.
    pub prefix: &'static str,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident = $prefix:literal;)*) => {$(
        #[doc = concat!("Marks ids that start with `", $prefix, "_`.")]
        #[derive(Debug)]
        pub enum $kind {}
        impl IdKind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A tenant: `ten_…`. The same UUID is its provisioning id.
    TenantKind, TenantId = "ten";
    /// A person who signs in to a tenant: `usr_…`.
    UserKind, UserId = "usr";
    /// A provisioned trading account: `acc_…`.
    AccountKind, AccountId = "acc";
    /// That an account is a website user's: `map_…`.
    MappingKind, MappingId = "map";
    /// An event of a tenant's log: `evt_…`.
    EventKind, EventId = "evt";
    /// An API key, the record of it rather than its secret: `key_…`.
    ApiKeyKind, ApiKeyId = "key";
    /// A sign-in and the refresh tokens that grew from it: `ses_…`.
    SessionKind, SessionId = "ses";
    /// A tenant's basis configuration: `tc_…`.
    TenantConfigKind, TenantConfigId = "tc";
    /// A process that a tenant configured: `pc_…`.
    ProcessConfigKind, ProcessConfigId = "pc";
    /// A company code of an organisation: `cc_…`.
    CompanyCodeKind, CompanyCodeId = "cc";
    /// A plant: `plant_…`.
    PlantKind, PlantId = "plant";
    /// A storage location: `sloc_…`.
    StorageLocationKind, StorageLocationId = "sloc";
    /// A purchasing organisation: `porg_…`.
    PurchasingOrgKind, PurchasingOrgId = "porg";
    /// A purchasing group: `pgrp_…`.
    PurchasingGroupKind, PurchasingGroupId = "pgrp";
    /// The assignment of a purchasing organisation: `pasg_…`.
    PorgAssignmentKind, PorgAssignmentId = "pasg";
    /// A webhook endpoint: `hook_…`.
    WebhookKind, WebhookId = "hook";
    /// The delivery of an event to a webhook endpoint: `dlv_…`.
    DeliveryKind, DeliveryId = "dlv";
}

impl<K: IdKind> Id<K> {
    /// The id over this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The UUID without its prefix.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The least time-ordered id that can have been made at this moment, in whole milliseconds: those made before are less, as
    /// far as clocks agree.
    pub fn earliest_at(at: DateTime<Utc>) -> Self {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        Self::new(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.uuid.as_simple())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { prefix: K::PREFIX };
        let digits = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(invalid)?;
        let canonical = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical {
            return Err(invalid);
        }
        Uuid::try_parse(digits).map(Self::new).map_err(|_| invalid)
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K: IdKind> JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}_id", K::PREFIX).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^{}_[0-9a-f]{{32}}$", K::PREFIX), "maxLength": 64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "acc_0195c0de00007000800000000000000a";

    #[test]
    fn text_and_back() {
        let id: AccountId = TEXT.parse().unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<AccountId>(&format!("\"{TEXT}\"")).unwrap(), id);
    }

    #[test]
    fn ids_of_a_moment_are_those_from_its_earliest_on() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let id =
            AccountId::new(Builder::from_unix_timestamp_millis(1_736_521_200_123, &[0xff; 10]).into_uuid());
        assert!(AccountId::earliest_at(at(1_736_521_200_123)) < id);
        assert!(id < AccountId::earliest_at(at(1_736_521_200_124)));
        assert!(AccountId::earliest_at(at(-1)) < id);
    }

    #[test]
    fn only_the_canonical_form_of_its_own_kind_is_an_id() {
        for wrong in [
            "",
            "acc_",
            "0195c0de00007000800000000000000a",
            "usr_0195c0de00007000800000000000000a",
            "acc_0195C0DE00007000800000000000000A",
            "acc_0195c0de-0000-7000-8000-00000000000a",
            "acc_0195c0de00007000800000000000000a ",
        ] {
            assert_eq!(wrong.parse::<AccountId>(), Err(InvalidId { prefix: "acc" }), "{wrong:?}");
        }
    }
}
