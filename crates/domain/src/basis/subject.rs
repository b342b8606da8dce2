use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{InvalidId, ProcessConfigId, TenantConfigId};

/// What a version is one of: the basis, or a process. Written as its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A process, also one that was removed.
    Process(ProcessConfigId),
    /// The basis.
    Basis(TenantConfigId),
}

impl From<ProcessConfigId> for Subject {
    fn from(id: ProcessConfigId) -> Self {
        Self::Process(id)
    }
}

impl From<TenantConfigId> for Subject {
    fn from(id: TenantConfigId) -> Self {
        Self::Basis(id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(id) => id.fmt(f),
            Self::Basis(id) => id.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self::Process).or_else(|_| text.parse().map(Self::Basis))
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_written_as_their_ids_and_sort_like_them() {
        let texts = ["pc_0195c0de00007000800000000000000a", "tc_0195c0de000070008000000000000009"];
        let subjects = texts.map(|text| text.parse::<Subject>().unwrap());
        assert_eq!(subjects.map(|subject| subject.to_string()), texts);
        assert!(subjects[0] < subjects[1]);
        assert!("acc_0195c0de00007000800000000000000a".parse::<Subject>().is_err());
    }
}
