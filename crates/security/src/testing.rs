//! What the tests of several modules share.

use std::sync::Mutex;

use tenantry_ports::Entropy;

use crate::MasterKey;

/// A master key that is the same in every test.
pub(crate) fn master(seed: u8) -> MasterKey {
    MasterKey::generate(&Repeating::new(&[seed, 1, 2, 3]))
}

/// Entropy that deals the same bytes over and over.
pub(crate) struct Repeating {
    bytes: Vec<u8>,
    next: Mutex<usize>,
}

impl Repeating {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), next: Mutex::new(0) }
    }
}

impl Entropy for Repeating {
    fn fill(&self, buffer: &mut [u8]) {
        let mut next = self.next.lock().unwrap();
        for byte in buffer {
            *byte = self.bytes[*next % self.bytes.len()];
            *next += 1;
        }
    }
}
