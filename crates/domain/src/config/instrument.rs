use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// The name of something that is traded, as in `EURUSD` or `ES 12-25`: 1 to 64 printable characters.
///
/// A clone shares the text. Symbols have the order of their texts, and are told apart by their first eight bytes where these
/// suffice: the rule engine compares several for every trade.
#[derive(Clone)]
pub struct Symbol(Arc<str>, u64);

impl Symbol {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The symbol", &text, 1, 64)?;
        check_printable("The symbol", &text, "invalid_symbol")?;
        Ok(Self(text.as_str().into(), beginning(&text)))
    }
}

/// The first eight bytes of a text, with zeros after its end, which no text has in it; in the order of texts.
fn beginning(text: &str) -> u64 {
    let bytes = text.bytes().chain(std::iter::repeat(0)).take(8);
    bytes.fold(0, |beginning, byte| (beginning << 8) | u64::from(byte))
}

impl Ord for Symbol {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.1.cmp(&other.1) {
            Ordering::Equal if self.0.len() > 8 || other.0.len() > 8 => self.0.cmp(&other.0),
            order => order,
        }
    }
}

impl PartialOrd for Symbol {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Symbol {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Symbol {}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Symbol").field(&self.0).finish()
    }
}
validated_text!(Symbol, {
    "type": "string", "minLength": 1, "maxLength": 64, "pattern": PRINTABLE
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_printable() {
        for text in ["EURUSD", "ES 12-25", "BTC/USD", "^GSPC", "X"] {
            assert!(Symbol::new(text).is_ok(), "{text}");
        }
        for (text, code) in [("", "too_short"), (" ES", "invalid_symbol"), ("E\tS", "invalid_symbol")] {
            assert_eq!(Symbol::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(Symbol::new("x".repeat(65)).unwrap_err().code, "too_long");
    }

    #[test]
    fn symbols_have_the_order_of_their_texts() {
        let texts = [
            "A",
            "AB",
            "ABCDEFG",
            "ABCDEFGH",
            "ABCDEFGHI",
            "ABCDEFGHJ",
            "ABCDEFGI",
            "B",
            "Z\u{e4}",
            "\u{20ac}USD",
        ];
        for one in texts {
            for other in texts {
                let (x, y) = (Symbol::new(one).unwrap(), Symbol::new(other).unwrap());
                assert_eq!(x.cmp(&y), one.cmp(other), "{one} {other}");
                assert_eq!(x == y, one == other, "{one} {other}");
            }
        }
    }
}
