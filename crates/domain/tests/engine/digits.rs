//! Decimals as lists of digits, calculated with as on paper: slow, and plain enough to be believed.

use std::cmp::Ordering;
use std::fmt;

/// A decimal of at most 28 significant digits and 28 decimals, below 10^28.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    negative: bool,
    /// Most significant first, without leading zeros.
    digits: Vec<u8>,
    /// How many of them are decimals; may be more than there are.
    scale: usize,
}

impl Paper {
    pub(crate) fn zero() -> Self {
        Self { negative: false, digits: Vec::new(), scale: 0 }
    }

    pub(crate) fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let scale = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let digits = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        Self { negative, digits: trimmed(digits), scale }
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative && !self.digits.is_empty()
    }

    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    pub(crate) fn negated(&self) -> Self {
        Self { negative: !self.negative, ..self.clone() }
    }

    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        self.with(other).rounded()
    }

    /// The sum of them all, rounded once.
    pub(crate) fn sum(terms: &[Self]) -> Option<Self> {
        terms.iter().fold(Self::zero(), |sum, term| sum.with(term)).rounded()
    }

    /// The sum with all its digits.
    fn with(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let (a, b) = (widened(&self.digits, scale - self.scale), widened(&other.digits, scale - other.scale));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, sum(&a, &b))
        } else if compare(&a, &b) == Ordering::Less {
            (other.negative, difference(&b, &a))
        } else {
            (self.negative, difference(&a, &b))
        };
        Self { negative, digits, scale }
    }

    fn rounded(self) -> Option<Self> {
        rounded(self.negative, self.digits, self.scale, false)
    }

    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        self.plus(&other.negated())
    }

    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        let mut columns = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().enumerate() {
            for (j, b) in other.digits.iter().enumerate() {
                columns[i + j + 1] += u32::from(a * b);
            }
        }
        for place in (1..columns.len()).rev() {
            columns[place - 1] += columns[place] / 10;
            columns[place] %= 10;
        }
        let product = trimmed(columns.into_iter().map(|digit| digit as u8).collect());
        rounded(self.negative != other.negative, product, self.scale + other.scale, false)
    }

    /// `other` is not 0.
    pub(crate) fn over(&self, other: &Self) -> Option<Self> {
        // Enough further digits that only whether there is a rest can matter.
        let more = 30 + other.digits.len() + other.scale;
        let (mut quotient, mut rest) = (Vec::new(), Vec::new());
        for digit in widened(&self.digits, more) {
            rest.push(digit);
            rest = trimmed(rest);
            let mut times = 0;
            while compare(&rest, &other.digits) != Ordering::Less {
                rest = difference(&rest, &other.digits);
                times += 1;
            }
            quotient.push(times);
        }
        let scale = self.scale + more - other.scale;
        rounded(self.negative != other.negative, trimmed(quotient), scale, !rest.is_empty())
    }
}

fn rounded(negative: bool, digits: Vec<u8>, scale: usize, rest: bool) -> Option<Paper> {
    let drop = digits.len().saturating_sub(28).max(scale.saturating_sub(28));
    if drop > scale {
        return None;
    }
    let padded = [vec![0; drop.saturating_sub(digits.len())], digits].concat();
    let (kept, cut) = padded.split_at(padded.len() - drop);
    let half = [vec![5], vec![0; drop.saturating_sub(1)]].concat();
    let odd = kept.last().is_some_and(|digit| digit % 2 == 1);
    let up = drop > 0
        && match cut.cmp(&half[..]) {
            Ordering::Greater => true,
            Ordering::Equal => rest || odd,
            Ordering::Less => false,
        };
    let kept = if up { sum(&trimmed(kept.to_vec()), &[1]) } else { trimmed(kept.to_vec()) };
    if kept.len() > 28 {
        return rounded(negative, kept, scale - drop, false);
    }
    Some(Paper { negative, digits: kept, scale: scale - drop })
}

fn trimmed(digits: Vec<u8>) -> Vec<u8> {
    digits.into_iter().skip_while(|digit| *digit == 0).collect()
}

fn widened(digits: &[u8], zeros: usize) -> Vec<u8> {
    if digits.is_empty() { Vec::new() } else { [digits.to_vec(), vec![0; zeros]].concat() }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let (mut out, mut carry) = (Vec::new(), 0);
    for place in 0..a.len().max(b.len()) + 1 {
        let digit = |digits: &[u8]| digits.len().checked_sub(place + 1).map_or(0, |at| digits[at]);
        let value = digit(a) + digit(b) + carry;
        out.push(value % 10);
        carry = value / 10;
    }
    out.reverse();
    trimmed(out)
}

/// `a − b`, of which `a` is not less.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let (mut out, mut borrow) = (Vec::new(), 0);
    for place in 0..a.len() {
        let from = i16::from(a[a.len() - place - 1]) - borrow;
        let taken = i16::from(b.len().checked_sub(place + 1).map_or(0, |at| b[at]));
        borrow = i16::from(from < taken);
        out.push((from + 10 * borrow - taken) as u8);
    }
    out.reverse();
    trimmed(out)
}

impl fmt::Display for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padded =
            [vec![0; (self.scale + 1).saturating_sub(self.digits.len())], self.digits.clone()].concat();
        let text: String = padded.iter().map(|digit| char::from(b'0' + digit)).collect();
        let (whole, decimals) = text.split_at(text.len() - self.scale);
        let decimals = decimals.trim_end_matches('0');
        let sign = if self.is_negative() { "-" } else { "" };
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{decimals}")
    }
}

impl PartialEq for Paper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Paper {}
impl PartialOrd for Paper {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Paper {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let (a, b) = (widened(&self.digits, scale - self.scale), widened(&other.digits, scale - other.scale));
        match (self.is_negative(), other.is_negative()) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => compare(&a, &b),
            (true, true) => compare(&b, &a),
        }
    }
}

#[test]
fn paper_calculates_as_people_do() {
    let of = Paper::of;
    for (value, text) in [
        (of("1.10").plus(&of("-0.1")), "1"),
        (of("0.1").minus(&of("0.25")), "-0.15"),
        (of("-1.5").times(&of("0.5")), "-0.75"),
        (of("1").over(&of("3")), "0.3333333333333333333333333333"),
        (of("2").over(&of("3")), "0.6666666666666666666666666667"),
        (of("1").over(&of("0.008")), "125"),
        (of("0.0000000000000000000000000001").times(&of("0.5")), "0"),
        (of("0.0000000000000000000000000003").times(&of("0.5")), "0.0000000000000000000000000002"),
        (of("9999999999999999999999999999").plus(&of("0.4")), "9999999999999999999999999999"),
        (of("9999999999999999999999999998").plus(&of("0.5")), "9999999999999999999999999998"),
    ] {
        assert_eq!(value.unwrap().to_string(), text);
    }
    assert!(of("9999999999999999999999999999").plus(&of("0.5")).is_none());
    assert!(of("100000000000000").times(&of("100000000000000")).is_none());
}
