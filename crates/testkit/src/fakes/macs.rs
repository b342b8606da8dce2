use tenantry_ports::{Digest as _, MacPurpose, Macs};

use super::FakeDigest;

/// Keyed hashes whose key everybody knows: the purpose.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeMacs;

impl Macs for FakeMacs {
    fn make(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut text = format!("{purpose:?}:").into_bytes();
        parts.iter().for_each(|part| text.extend_from_slice(part));
        FakeDigest.sha256(&text)
    }

    fn check(&self, purpose: MacPurpose, parts: &[&[u8]], mac: &[u8; 32]) -> bool {
        self.make(purpose, parts) == *mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_its_purpose_and_text_alone() {
        for purpose in MacPurpose::ALL {
            let mac = FakeMacs.make(purpose, &[b"a", b"b"]);
            for other in MacPurpose::ALL {
                assert_eq!(FakeMacs.check(other, &[b"ab"], &mac), other == purpose);
            }
            assert!(!FakeMacs.check(purpose, &[b"ac"], &mac));
        }
    }
}
