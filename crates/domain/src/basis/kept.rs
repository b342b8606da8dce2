use chrono::{DateTime, Utc};

use super::{Basis, Process};
use crate::id::{ProcessConfigId, TenantConfigId};
use crate::timestamp;

/// Something that a tenant configured, in the version that counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<I, T> {
    /// Its id.
    pub id: I,
    /// What it says.
    pub content: T,
    /// Counts its changes, from 1. It goes on where something is taken back that was removed.
    pub version: i64,
    /// When it was first configured, in whole milliseconds.
    pub created_at: DateTime<Utc>,
    /// When it last changed, in whole milliseconds.
    pub updated_at: DateTime<Utc>,
}

/// A tenant's basis.
pub type BasisConfig = Kept<TenantConfigId, Basis>;

/// A process of a tenant.
pub type ProcessConfig = Kept<ProcessConfigId, Process>;

impl<I, T: PartialEq> Kept<I, T> {
    /// What is configured for the first time.
    pub fn begin(id: I, content: T, at: DateTime<Utc>) -> Self {
        let at = timestamp::whole_millis(at);
        Self { id, content, version: 1, created_at: at, updated_at: at }
    }

    /// Has it say something else, and answers what it said; nothing (and no new version), if it said so before.
    pub fn change(&mut self, content: T, at: DateTime<Utc>) -> Option<T> {
        if self.content == content {
            return None;
        }
        self.version += 1;
        self.updated_at = timestamp::whole_millis(at);
        Some(std::mem::replace(&mut self.content, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_different_is_a_change() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let first = Kept::begin(7, "a", at("2025-01-01T00:00:00.1239Z"));
        assert_eq!((first.version, first.created_at), (1, at("2025-01-01T00:00:00.123Z")));
        let mut kept = first.clone();
        assert_eq!(kept.change("a", at("2025-01-02T00:00:00Z")), None);
        assert_eq!(kept, first);
        assert_eq!(kept.change("b", at("2025-01-03T00:00:00Z")), Some("a"));
        assert_eq!((kept.content, kept.version, kept.created_at), ("b", 2, first.created_at));
        assert_eq!(kept.updated_at, at("2025-01-03T00:00:00Z"));
    }
}
