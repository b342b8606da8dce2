//! The engine's arithmetic: decimals of 28 significant digits (and at most 28 decimals), rounded half to even.
//!
//! Every operation rounds its exact result once, so the outcome does not depend on how a number is written (`1.10` or
//! `1.1`), and other implementations can agree to the last digit: it is what Python's `decimal` does by default.
//! `rust_decimal` itself keeps 28 or 29 digits, whichever fit into 96 bits. Results are not stripped of trailing zeros;
//! that is done where an amount is written.

use rust_decimal::Decimal;

use super::Refusal;

const DIGITS: u32 = 28;
const MAX_SCALE: u32 = 28;
/// The first number with more than 28 digits.
const LIMIT: u128 = POWERS[DIGITS as usize];
const MASK: u128 = u64::MAX as u128;

/// The powers of ten that fit.
const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = 10 * powers[exponent - 1];
        exponent += 1;
    }
    powers
};

/// 2^128 divided by each of them, or a little less.
const RECIPROCALS: [u128; 39] = {
    let mut reciprocals = [u128::MAX; 39];
    let mut exponent = 1;
    while exponent < reciprocals.len() {
        reciprocals[exponent] = u128::MAX / POWERS[exponent];
        exponent += 1;
    }
    reciprocals
};

/// `a + b`.
#[inline]
pub(in crate::account) fn add(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let (a_scale, b_scale) = (a.scale(), b.scale());
    let (a, b) = (a.mantissa(), b.mantissa());
    if a_scale == b_scale {
        let sum = a + b;
        return round(sum.unsigned_abs(), a_scale, false, sum < 0);
    }
    if a_scale > b_scale { add_scaled(a, a_scale, b, b_scale) } else { add_scaled(b, b_scale, a, a_scale) }
}

/// The sum of two numbers of which `a` has more decimals than `b`.
#[inline]
fn add_scaled(a: i128, a_scale: u32, b: i128, b_scale: u32) -> Result<Decimal, Refusal> {
    let factor = POWERS[(a_scale - b_scale) as usize];
    // One bit for the sign, one for the carry.
    if b.unsigned_abs().leading_zeros() + factor.leading_zeros() < 130 {
        return add_apart(a, a_scale, b, b_scale);
    }
    let sum = a + b * factor as i128;
    round(sum.unsigned_abs(), a_scale, false, sum < 0)
}

/// The sum of two numbers so far apart that not every digit fits: `b`, the greater one, gets 37 digits and the rest of
/// `a` counts for the rounding alone.
#[cold]
fn add_apart(a: i128, a_scale: u32, b: i128, b_scale: u32) -> Result<Decimal, Refusal> {
    let widen = 37u32.saturating_sub(digits(b.unsigned_abs())).min(a_scale - b_scale);
    let scale = b_scale + widen;
    let cut = POWERS[(a_scale - scale) as usize] as i128;
    let sum = b * POWERS[widen as usize] as i128 + a.div_euclid(cut);
    let sticky = a.rem_euclid(cut) != 0;
    // The true sum is up to one above `sum`, so for a negative one the magnitude is a little below.
    if sum < 0 && sticky {
        return round((sum + 1).unsigned_abs(), scale, true, true);
    }
    round(sum.unsigned_abs(), scale, sticky, sum < 0)
}

/// `a − b`.
#[inline]
pub(in crate::account) fn sub(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    add(a, -b)
}

/// `a × b`.
#[inline]
pub(in crate::account) fn mul(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let scale = a.scale() + b.scale();
    let (a, b) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    if a.leading_zeros() + b.leading_zeros() >= 128 {
        return round(a * b, scale, false, negative);
    }
    let (product, dropped, sticky) = mul_wide(a, b);
    let scale = scale.checked_sub(dropped).ok_or(Refusal::Overflow)?;
    round(product, scale, sticky, negative)
}

/// The leading digits (more than 28) of a product of two 96-bit numbers, how many were dropped and whether one of these
/// was not 0.
#[cold]
fn mul_wide(a: u128, b: u128) -> (u128, u32, bool) {
    const STEP: u32 = 10;
    const UNIT: u128 = POWERS[STEP as usize];
    let (high, low) = full_product(a, b);
    let mut limbs = [low & MASK, low >> 64, high];
    let (mut dropped, mut sticky) = (0, false);
    while limbs[2] != 0 {
        let mut rest = 0;
        for limb in limbs.iter_mut().rev() {
            let value = (rest << 64) | *limb;
            (*limb, rest) = (value / UNIT, value % UNIT);
        }
        sticky |= rest != 0;
        dropped += STEP;
    }
    ((limbs[1] << 64) | limbs[0], dropped, sticky)
}

/// The upper and the lower half of a product.
#[inline]
fn full_product(a: u128, b: u128) -> (u128, u128) {
    let [a0, a1, b0, b1] = [a & MASK, a >> 64, b & MASK, b >> 64];
    let low = a0 * b0;
    let middle = a0 * b1 + (low >> 64);
    let other = a1 * b0 + (middle & MASK);
    (a1 * b1 + (middle >> 64) + (other >> 64), (other << 64) | (low & MASK))
}

/// The quotient and the rest of a division by a power of ten, which a multiplication is faster at than the processor.
#[inline]
fn divide_by_power(number: u128, exponent: u32) -> (u128, u128) {
    let unit = POWERS[exponent as usize];
    let (mut quotient, _) = full_product(number, RECIPROCALS[exponent as usize]);
    let mut rest = number - quotient * unit;
    // The reciprocal is a little too small, and so may the quotient be.
    while rest >= unit {
        quotient += 1;
        rest -= unit;
    }
    (quotient, rest)
}

/// `a ÷ b`; by 0 it overflows.
pub(in crate::account) fn div(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let (dividend, divisor) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let mut quotient = dividend.checked_div(divisor).ok_or(Refusal::Overflow)?;
    let mut rest = dividend - quotient * divisor;
    let mut scale = a.scale() as i32 - b.scale() as i32;
    // What a rest may be widened by without leaving 128 bits.
    let chunk = if divisor <= MASK { 19 } else { 9 };
    // One digit more than is kept, so that it and whether there is a rest decide the rounding.
    while rest != 0 && scale <= MAX_SCALE as i32 {
        let wanted = (DIGITS + 1).saturating_sub(digits(quotient)).min((MAX_SCALE as i32 + 1 - scale) as u32);
        if wanted == 0 {
            break;
        }
        let step = wanted.min(chunk);
        let widened = rest * POWERS[step as usize];
        let part = widened / divisor;
        quotient = quotient * POWERS[step as usize] + part;
        rest = widened - part * divisor;
        scale += step as i32;
    }
    match u32::try_from(scale) {
        Ok(scale) => round(quotient, scale, rest != 0, negative),
        Err(_) => {
            let factor = POWERS.get(scale.unsigned_abs() as usize);
            let whole = factor.and_then(|factor| quotient.checked_mul(*factor)).ok_or(Refusal::Overflow)?;
            round(whole, 0, false, negative)
        }
    }
}

/// A sum of any number of terms, rounded once: their order does not matter.
#[derive(Default)]
pub(in crate::account) struct Sum {
    /// What was added, as long as every digit of it fits, with so many decimals.
    total: i128,
    scale: u32,
    /// What did not fit: the whole part, and the rest in units of 10^-28.
    spilled: Option<(i128, i128)>,
}

impl Sum {
    /// Adds a term.
    #[inline]
    pub(in crate::account) fn add(&mut self, term: Decimal) {
        let (mantissa, scale) = (term.mantissa(), term.scale());
        let (wide, narrow, more) = if scale >= self.scale {
            (mantissa, self.total, scale - self.scale)
        } else {
            (self.total, mantissa, self.scale - scale)
        };
        let factor = POWERS[more as usize];
        let bits = (128 - narrow.unsigned_abs().leading_zeros()) + (128 - factor.leading_zeros());
        if bits > 125 || wide.unsigned_abs() >> 125 != 0 {
            self.spill(mantissa, scale);
        } else {
            self.total = wide + narrow * factor as i128;
            self.scale = self.scale.max(scale);
        }
    }

    #[cold]
    fn spill(&mut self, mantissa: i128, scale: u32) {
        let (mut whole, mut rest) = self.spilled.unwrap_or_default();
        for (mantissa, scale) in [(self.total, self.scale), (mantissa, scale)] {
            let unit = POWERS[scale as usize] as i128;
            whole += mantissa / unit;
            rest += mantissa % unit * POWERS[(MAX_SCALE - scale) as usize] as i128;
        }
        (self.total, self.scale) = (0, 0);
        self.spilled = Some((whole, rest));
    }

    /// The sum.
    #[inline]
    pub(in crate::account) fn value(mut self) -> Result<Decimal, Refusal> {
        if self.spilled.is_none() {
            return round(self.total.unsigned_abs(), self.scale, false, self.total < 0);
        }
        self.spill(0, 0);
        let (whole, rest) = self.spilled.unwrap_or_default();
        let unit = POWERS[MAX_SCALE as usize] as i128;
        let (mut whole, mut rest) = (whole + rest / unit, rest % unit);
        // Both parts get the sign of the sum.
        if whole > 0 && rest < 0 {
            (whole, rest) = (whole - 1, rest + unit);
        } else if whole < 0 && rest > 0 {
            (whole, rest) = (whole + 1, rest - unit);
        }
        let negative = whole < 0 || rest < 0;
        let (whole, rest) = (whole.unsigned_abs(), rest.unsigned_abs());
        let long = digits(whole);
        if long == 0 {
            return round(rest, MAX_SCALE, false, negative);
        }
        if long > DIGITS {
            return Err(Refusal::Overflow);
        }
        // One digit more than is kept, and whether anything follows it.
        let (next, beyond) = divide_by_power(rest, long - 1);
        let mantissa = whole * POWERS[(DIGITS + 1 - long) as usize] + next;
        round(mantissa, DIGITS + 1 - long, beyond != 0, negative)
    }
}

/// `a + b`; what is too large stops at the largest number there is.
pub(in crate::account) fn saturating_add(a: Decimal, b: Decimal) -> Decimal {
    add(a, b).unwrap_or_else(|_| largest(a.is_sign_negative()))
}

/// `a − b`; what is too large stops at the largest number there is.
pub(in crate::account) fn saturating_sub(a: Decimal, b: Decimal) -> Decimal {
    saturating_add(a, -b)
}

/// `a × b`; what is too large stops at the largest number there is.
pub(in crate::account) fn saturating_mul(a: Decimal, b: Decimal) -> Decimal {
    mul(a, b).unwrap_or_else(|_| largest(a.is_sign_negative() != b.is_sign_negative()))
}

fn largest(negative: bool) -> Decimal {
    decimal(LIMIT - 1, 0, negative)
}

/// The number with this mantissa and scale, rounded; `sticky` if it is a little more than that (which only numbers with
/// more than 28 digits or decimals may be).
#[inline]
fn round(mantissa: u128, scale: u32, sticky: bool, negative: bool) -> Result<Decimal, Refusal> {
    if mantissa < LIMIT && scale <= MAX_SCALE {
        return Ok(decimal(mantissa, scale, negative));
    }
    round_off(mantissa, scale, sticky, negative)
}

fn round_off(mantissa: u128, scale: u32, sticky: bool, negative: bool) -> Result<Decimal, Refusal> {
    let drop = digits(mantissa).saturating_sub(DIGITS).max(scale.saturating_sub(MAX_SCALE));
    if drop > scale {
        return Err(Refusal::Overflow);
    }
    if drop as usize >= POWERS.len() {
        return Ok(Decimal::ZERO);
    }
    let scale = scale - drop;
    let (mut kept, rest) = divide_by_power(mantissa, drop);
    let half = POWERS[drop as usize] / 2;
    if rest > half || (rest == half && (sticky || kept % 2 == 1)) {
        kept += 1;
    }
    if kept < LIMIT {
        return Ok(decimal(kept, scale, negative));
    }
    // 9.99… became 10.
    if scale == 0 { Err(Refusal::Overflow) } else { Ok(decimal(kept / 10, scale - 1, negative)) }
}

/// The number of digits; of 0, none.
#[inline]
fn digits(number: u128) -> u32 {
    // As many as the number of bits says (its logarithm times 1233 / 4096), or one more.
    let least = (128 - number.leading_zeros()) * 1233 >> 12;
    least + u32::from(number >= POWERS[least as usize])
}

/// Whether `a` is less than `b`.
#[inline]
pub(in crate::account) fn is_less(a: Decimal, b: Decimal) -> bool {
    let (a_scale, b_scale) = (a.scale(), b.scale());
    let (x, y) = (a.mantissa(), b.mantissa());
    let (x, y, factor) = match a_scale.checked_sub(b_scale) {
        Some(more) => (x, y, POWERS[more as usize]),
        // −b < −a, so that the one with fewer decimals is on the right.
        None => (-y, -x, POWERS[(b_scale - a_scale) as usize]),
    };
    if y.unsigned_abs().leading_zeros() + factor.leading_zeros() < 129 {
        return a < b;
    }
    x < y * factor as i128
}

#[expect(clippy::cast_possible_truncation, reason = "each part is one word of it")]
fn decimal(mantissa: u128, scale: u32, negative: bool) -> Decimal {
    Decimal::from_parts(mantissa as u32, (mantissa >> 32) as u32, (mantissa >> 64) as u32, negative, scale)
}

#[cfg(test)]
#[expect(dead_code, reason = "the tests of the whole engine use all of it")]
#[path = "../../../tests/engine/digits.rs"]
mod digits_on_paper;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::digits_on_paper::Paper;
    use super::*;

    /// Any number, and often one with few digits, or next to a boundary.
    fn number() -> impl Strategy<Value = Decimal> {
        let mantissa = prop_oneof![
            any::<u64>().prop_map(u128::from),
            (0u128..100_000),
            (0u128..1 << 96),
            (LIMIT - 50..LIMIT + 50),
            (0u32..28).prop_map(|exponent| 10u128.pow(exponent)),
            (0u32..28).prop_map(|exponent| 5 * 10u128.pow(exponent)),
        ];
        (mantissa, any::<bool>(), 0u32..=28)
            .prop_map(|(mantissa, negative, scale)| decimal(mantissa, scale, negative))
    }

    fn on_paper(number: Decimal) -> Paper {
        Paper::of(&number.to_string())
    }

    fn text(result: Result<Decimal, Refusal>) -> Option<String> {
        result.ok().map(|number| number.normalize().to_string())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        #[test]
        fn every_operation_rounds_once_to_28_digits_half_to_even(a in number(), b in number()) {
            let (x, y) = (on_paper(a), on_paper(b));
            prop_assert_eq!(text(add(a, b)), x.plus(&y).map(|sum| sum.to_string()), "{} + {}", a, b);
            prop_assert_eq!(text(sub(a, b)), x.minus(&y).map(|sum| sum.to_string()), "{} - {}", a, b);
            prop_assert_eq!(text(mul(a, b)), x.times(&y).map(|product| product.to_string()), "{} * {}", a, b);
            if !b.is_zero() {
                prop_assert_eq!(text(div(a, b)), x.over(&y).map(|quotient| quotient.to_string()), "{} / {}", a, b);
            }
        }

        #[test]
        fn a_sum_rounds_once(terms in prop::collection::vec(number(), 0..7)) {
            let sum = |terms: &[Decimal]| {
                let mut sum = Sum::default();
                terms.iter().for_each(|term| sum.add(*term));
                text(sum.value())
            };
            let on_paper: Vec<_> = terms.iter().map(|term| on_paper(*term)).collect();
            prop_assert_eq!(sum(&terms), Paper::sum(&on_paper).map(|sum| sum.to_string()), "{:?}", terms);
            let backwards: Vec<_> = terms.iter().rev().copied().collect();
            prop_assert_eq!(sum(&backwards), sum(&terms));
        }

        #[test]
        fn less_is_less(a in number(), b in number()) {
            prop_assert_eq!(is_less(a, b), on_paper(a) < on_paper(b));
        }

        #[test]
        fn it_does_not_matter_how_a_number_is_written(a in number(), b in number()) {
            let (x, y) = (a.normalize(), b.normalize());
            prop_assert_eq!(text(add(a, b)), text(add(x, y)));
            prop_assert_eq!(text(mul(a, b)), text(mul(x, y)));
            prop_assert_eq!(text(div(a, b)), text(div(x, y)));
        }
    }

    #[test]
    fn what_is_too_large_overflows_or_stops() {
        let large = decimal(LIMIT - 1, 0, false);
        assert_eq!(add(large, Decimal::ONE), Err(Refusal::Overflow));
        assert_eq!(mul(large, Decimal::TWO), Err(Refusal::Overflow));
        assert_eq!(div(large, Decimal::new(1, 1)), Err(Refusal::Overflow));
        assert_eq!(div(Decimal::ONE, Decimal::ZERO), Err(Refusal::Overflow));
        assert_eq!(saturating_add(large, large), large);
        assert_eq!(saturating_sub(-large, large), -large);
        assert_eq!(saturating_mul(-large, large), -large);
    }
}
