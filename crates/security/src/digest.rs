use sha2::{Digest as _, Sha256};
use tenantry_ports::Digest;

/// SHA-256.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sha256Digest;

impl Digest for Sha256Digest {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256() {
        let digest: &dyn Digest = &Sha256Digest;
        assert_eq!(digest.hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
