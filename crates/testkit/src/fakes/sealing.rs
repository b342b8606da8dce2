use tenantry_ports::{Sealing, Unopenable};

/// Seals nothing from anybody who tries, but keeps every value to its place, and its text from being searched for.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeSealing;

/// What is combined with every byte.
const MASK: u8 = 0x5a;

impl Sealing for FakeSealing {
    fn seal_answer(&self, scope: &str, body: &[u8]) -> Vec<u8> {
        [b"sealed for ", scope.as_bytes(), b"\n"].concat().into_iter().chain(masked(body)).collect()
    }

    fn open_answer(&self, scope: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable> {
        let place = [b"sealed for ", scope.as_bytes(), b"\n"].concat();
        sealed.strip_prefix(place.as_slice()).map(|body| masked(body).collect()).ok_or(Unopenable)
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
        let sealed = FakeSealing.seal_answer("a", b"secret");
        assert!(!sealed.windows(6).any(|text| text == b"secret"));
        assert_eq!(FakeSealing.open_answer("a", &sealed).unwrap(), b"secret");
        assert_eq!(FakeSealing.open_answer("b", &sealed), Err(Unopenable));
    }
}
