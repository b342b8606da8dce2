//! Where a list goes on: opaque to callers, and good only for the list and the filters it was made for.

use tenantry_ports::Digest;

use crate::problem::{Code, Problem};

/// The list that cursors belong to: whose it is, of what, and with which filters.
pub(crate) struct List<'a> {
    digest: &'a (dyn Digest + 'static),
    name: String,
}

impl<'a> List<'a> {
    /// The list of this name; different lists have different names.
    pub(crate) fn new(digest: &'a (dyn Digest + 'static), name: String) -> Self {
        Self { digest, name }
    }

    /// The cursor after the item at `position`.
    pub(crate) fn cursor(&self, position: &str) -> String {
        let hex: String = position.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}{}", self.seal(position))
    }

    /// The position that a cursor of this list stands for.
    pub(crate) fn position(&self, cursor: &str) -> Result<String, Problem> {
        let refused = || Problem::new(Code::InvalidCursor, "The cursor does not belong to this list");
        let at = cursor.len().checked_sub(SEAL).ok_or_else(refused)?;
        let (hex, seal) = cursor.split_at_checked(at).ok_or_else(refused)?;
        let position = decode(hex).ok_or_else(refused)?;
        if self.seal(&position) == seal { Ok(position) } else { Err(refused()) }
    }

    fn seal(&self, position: &str) -> String {
        let mut seal = self.digest.hex(format!("{}\n{position}", self.name).as_bytes());
        seal.truncate(SEAL);
        seal
    }
}

/// Length of the seal in hexadecimal digits.
const SEAL: usize = 16;

fn decode(hex: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    String::from_utf8(hex.as_bytes().chunks_exact(2).map(byte).collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::FakeDigest;

    use super::*;

    fn list(name: &str) -> List<'static> {
        List::new(&FakeDigest, name.to_owned())
    }

    #[test]
    fn a_cursor_leads_back_to_its_position_in_its_own_list_alone() {
        let cursor = list("a").cursor("25k-eval-v1");
        assert_eq!(list("a").position(&cursor).unwrap(), "25k-eval-v1");
        assert_eq!(list("b").position(&cursor).unwrap_err().code(), Code::InvalidCursor);
    }

    #[test]
    fn forged_cursors_are_refused() {
        let cursor = list("a").cursor("x");
        for forged in [
            "",
            "00",
            "zz0123456789abcdef",
            "é0123456789abcdef",
            &format!("00{cursor}"),
            &cursor[1..],
            &"+1".repeat(9),
        ] {
            assert!(list("a").position(forged).is_err(), "{forged}");
        }
    }
}
