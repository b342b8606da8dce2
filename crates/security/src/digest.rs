use sha2::{Digest as _, Sha256};
use tenantry_ports::{Digest, RunningDigest};

/// SHA-256.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sha256Digest;

impl Digest for Sha256Digest {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    fn running(&self) -> Box<dyn RunningDigest> {
        Box::new(Running(Sha256::new()))
    }
}

struct Running(Sha256);

impl RunningDigest for Running {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>) -> [u8; 32] {
        self.0.finalize().into()
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

    #[test]
    fn it_is_the_same_piece_by_piece() {
        let mut running = Sha256Digest.running();
        for piece in ["a", "", "bc"] {
            running.update(piece.as_bytes());
        }
        assert_eq!(running.finish(), Sha256Digest.sha256(b"abc"));
    }
}
