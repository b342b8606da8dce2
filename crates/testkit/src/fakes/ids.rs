use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_ports::Ids;
use uuid::{Builder, Uuid};

/// Ids that count: the same ones in every run, and never the same one twice from one source.
///
/// Time-ordered ids are well-formed version 7 UUIDs, each greater than the one before; random ones are well-formed
/// version 4 UUIDs that look unordered.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

/// 2026-01-01T00:00:00Z in milliseconds, so that the ids look like those of the time.
const FIRST_MILLISECOND: u64 = 1_767_225_600_000;

impl SequentialIds {
    /// A source that begins at its first id.
    pub const fn new() -> Self {
        Self::after(0)
    }

    /// A source that leaves out the first `count` ids; for two sources that must not give the same ids.
    pub const fn after(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }

    fn count(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Ids for SequentialIds {
    fn time_ordered(&self) -> Uuid {
        let count = self.count();
        let mut tail = [0; 10];
        tail[2..].copy_from_slice(&count.to_be_bytes());
        Builder::from_unix_timestamp_millis(FIRST_MILLISECOND + count, &tail).into_uuid()
    }

    fn random(&self) -> Uuid {
        let count = u128::from(self.count());
        // The count is in the low half, which keeps ids distinct; the high half scatters them.
        let scattered = (count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) << 64) | count;
        Builder::from_random_bytes(scattered.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::{Variant, Version};

    use super::*;

    #[test]
    fn time_ordered_ids_are_version_7_and_strictly_increase() {
        let ids = SequentialIds::new();
        let made: Vec<_> = (0..1000).map(|_| ids.time_ordered()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        for id in made {
            assert_eq!((id.get_version(), id.get_variant()), (Some(Version::SortRand), Variant::RFC4122));
        }
    }

    #[test]
    fn random_ids_are_version_4_and_distinct() {
        let ids = SequentialIds::new();
        let made: BTreeSet<_> = (0..1000).map(|_| ids.random()).collect();
        assert_eq!(made.len(), 1000);
        for id in made {
            assert_eq!((id.get_version(), id.get_variant()), (Some(Version::Random), Variant::RFC4122));
        }
    }

    #[test]
    fn every_source_gives_the_same_ids_unless_it_starts_elsewhere() {
        let (one, same, other) =
            (SequentialIds::new(), SequentialIds::new(), SequentialIds::after(1_000_000));
        assert_eq!(one.time_ordered(), same.time_ordered());
        assert_eq!(one.random(), same.random());
        assert!(one.time_ordered() < other.time_ordered());
    }
}
