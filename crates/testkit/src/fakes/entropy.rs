use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_ports::Entropy;

/// The same byte for ever: `FixedEntropy(0)` is no jitter at all, `FixedEntropy(255)` (nearly) all of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedEntropy(pub u8);

impl Entropy for FixedEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// Bytes that look random and are the same for the same seed (`SplitMix64`). Never for secrets of real use.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The stream of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(entropy: &dyn Entropy) -> [u8; 19] {
        let mut buffer = [0; 19];
        entropy.fill(&mut buffer);
        buffer
    }

    #[test]
    fn a_seed_decides_the_stream() {
        assert_eq!(bytes(&SeededEntropy::new(7)), bytes(&SeededEntropy::new(7)));
        assert_ne!(bytes(&SeededEntropy::new(7)), bytes(&SeededEntropy::new(8)));
        let stream = SeededEntropy::new(7);
        assert_ne!(bytes(&stream), bytes(&stream));
    }

    #[test]
    fn units_stay_below_one() {
        assert_eq!(FixedEntropy(0).unit().to_bits(), 0.0_f64.to_bits());
        let almost = FixedEntropy(255).unit();
        assert!(almost > 0.999 && almost < 1.0);
        let stream = SeededEntropy::new(1);
        let units: Vec<_> = (0..1000).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        assert!(units.iter().any(|unit| *unit < 0.1) && units.iter().any(|unit| *unit > 0.9));
    }
}
