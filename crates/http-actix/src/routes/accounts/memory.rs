use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// Remembers what was used last, within a bound of bytes.
///
/// There are two generations. What is used belongs to the younger one; once that takes up half of the room, it becomes the
/// older one, and what was left of the older one is forgotten. So whatever was among the last half of the room's bytes to be
/// used is there, and using it costs a look-up and no bookkeeping.
pub(super) struct Memory<K, V> {
    half: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    younger: Generation<K, V>,
    older: Generation<K, V>,
}

struct Generation<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
}

struct Entry<V> {
    value: V,
    bytes: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Memory<K, V> {
    /// Room for so many bytes, and one entry more.
    pub(super) fn new(bytes: usize) -> Self {
        let generations = Generations { younger: Generation::new(), older: Generation::new() };
        Self { half: bytes / 2, generations: Mutex::new(generations) }
    }

    /// What is remembered under each of these keys.
    pub(super) fn recall(&self, keys: impl IntoIterator<Item = K>) -> Vec<Option<V>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().map(|key| generations.recall(key, self.half)).collect()
    }

    /// Remembers this, which takes so many bytes, in the place of what there was under the key.
    pub(super) fn remember(&self, key: K, value: V, bytes: usize) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.older.remove(&key);
        generations.add(key, Entry { value, bytes }, self.half);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let generations = self.generations.lock().unwrap();
        generations.younger.bytes + generations.older.bytes
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Generations<K, V> {
    fn recall(&mut self, key: K, half: usize) -> Option<V> {
        if let Some(entry) = self.younger.entries.get(&key) {
            return Some(entry.value.clone());
        }
        let entry = self.older.remove(&key)?;
        let value = entry.value.clone();
        self.add(key, entry, half);
        Some(value)
    }

    fn add(&mut self, key: K, entry: Entry<V>, half: usize) {
        self.younger.remove(&key);
        self.younger.bytes += entry.bytes;
        self.younger.entries.insert(key, entry);
        if self.younger.bytes > half {
            self.older = mem::replace(&mut self.younger, Generation::new());
        }
    }
}

impl<K: Eq + Hash, V> Generation<K, V> {
    fn new() -> Self {
        Self { entries: HashMap::new(), bytes: 0 }
    }

    fn remove(&mut self, key: &K) -> Option<Entry<V>> {
        let entry = self.entries.remove(key)?;
        self.bytes -= entry.bytes;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall(memory: &Memory<u32, u32>, key: u32) -> Option<u32> {
        memory.recall([key]).remove(0)
    }

    #[test]
    fn what_is_remembered_is_recalled_until_it_is_replaced() {
        let memory = Memory::new(1000);
        memory.remember(1, 10, 5);
        memory.remember(2, 20, 5);
        assert_eq!(memory.recall([2, 3, 1, 2]), [Some(20), None, Some(10), Some(20)]);
        memory.remember(1, 11, 7);
        assert_eq!((recall(&memory, 1), memory.bytes()), (Some(11), 12));
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let memory = Memory::new(1000);
        for key in 0..10_000 {
            memory.remember(key, key, 10);
            assert_eq!(recall(&memory, 0), Some(0), "used all the time");
            assert!(memory.bytes() <= 1000 + 10, "{} bytes after {key}", memory.bytes());
        }
        assert_eq!(recall(&memory, 1), None);
        let last = (10_000 - 45..10_000).filter_map(|key| recall(&memory, key)).count();
        assert_eq!(last, 45, "half of the room is for what was used last");
    }

    #[test]
    fn a_replaced_entry_does_not_come_back() {
        let memory = Memory::new(100);
        memory.remember(1, 10, 40);
        memory.remember(2, 20, 40);
        // The first two are the older generation now.
        memory.remember(1, 11, 10);
        assert_eq!((recall(&memory, 1), memory.bytes()), (Some(11), 50));
        for key in 3..100 {
            memory.remember(key, 0, 10);
            assert_ne!(recall(&memory, 1), Some(10));
        }
    }

    #[test]
    fn an_entry_larger_than_all_the_room_is_not_kept_for_long() {
        let memory = Memory::new(100);
        memory.remember(1, 10, 1_000_000);
        memory.remember(2, 20, 60);
        assert_eq!((recall(&memory, 1), recall(&memory, 2), memory.bytes()), (None, Some(20), 60));
    }
}
