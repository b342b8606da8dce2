use tenantry_ports::{Sealing, Unopenable};

/// Seals nothing from anybody who tries, but keeps every value to its place and key, and its text from being searched for.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeSealing {
    key: u8,
}

/// What is combined with every byte.
const MASK: u8 = 0x5a;

impl FakeSealing {
    /// Under this key; what was sealed under another one does not open.
    pub const fn under(key: u8) -> Self {
        Self { key }
    }

    fn place(self, scope: &str) -> Vec<u8> {
        format!("sealed under {} for {scope}\n", self.key).into_bytes()
    }
}

impl Sealing for FakeSealing {
    fn seal_answer(&self, scope: &str, body: &[u8]) -> Vec<u8> {
        self.place(scope).into_iter().chain(masked(body)).collect()
    }

    fn open_answer(&self, scope: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable> {
        sealed.strip_prefix(self.place(scope).as_slice()).map(|body| masked(body).collect()).ok_or(Unopenable)
    }
}

fn masked(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().map(|byte| byte ^ MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_alone_and_is_not_read_in_passing() {
        let sealing = FakeSealing::default();
        let sealed = sealing.seal_answer("a", b"secret");
        assert!(!sealed.windows(6).any(|text| text == b"secret"));
        assert_eq!(sealing.open_answer("a", &sealed).unwrap(), b"secret");
        assert_eq!(sealing.open_answer("b", &sealed), Err(Unopenable));
        assert_eq!(FakeSealing::under(7).open_answer("a", &sealed), Err(Unopenable));
    }
}
