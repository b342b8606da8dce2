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
const LIMIT: u128 = 10u128.pow(DIGITS);
const MASK: u128 = u64::MAX as u128;

/// `a + b`.
pub(in crate::account) fn add(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let ((high, low), (a, b)) = if a.scale() >= b.scale() {
        ((a.scale(), b.scale()), (a.mantissa(), b.mantissa()))
    } else {
        ((b.scale(), a.scale()), (b.mantissa(), a.mantissa()))
    };
    // `a` has more decimals than `b`, or as many.
    let widened = 10i128.checked_pow(high - low).and_then(|factor| b.checked_mul(factor));
    match widened.and_then(|b| a.checked_add(b)) {
        Some(sum) => round(sum.unsigned_abs(), high, false, sum < 0),
        None => add_apart(a, high, b, low),
    }
}

/// The sum of two numbers so far apart that not every digit fits: `b`, the greater one, gets 37 digits and the rest of
/// `a` counts for the rounding alone.
fn add_apart(a: i128, a_scale: u32, b: i128, b_scale: u32) -> Result<Decimal, Refusal> {
    let widen = 37u32.saturating_sub(digits(b.unsigned_abs()));
    let scale = b_scale + widen;
    let cut = 10i128.pow((a_scale - scale).min(38));
    let b = b * 10i128.pow(widen);
    let sum = b + a.div_euclid(cut);
    let sticky = a.rem_euclid(cut) != 0;
    // The true sum is up to one above `sum`, so for a negative one the magnitude is a little below.
    if sum < 0 && sticky {
        return round((sum + 1).unsigned_abs(), scale, true, true);
    }
    round(sum.unsigned_abs(), scale, sticky, sum < 0)
}

/// `a − b`.
pub(in crate::account) fn sub(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    add(a, -b)
}

/// `a × b`.
pub(in crate::account) fn mul(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let scale = a.scale() + b.scale();
    let (a, b) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    match a.checked_mul(b) {
        Some(product) => round(product, scale, false, negative),
        None => {
            let (product, dropped, sticky) = mul_wide(a, b);
            match scale.checked_sub(dropped) {
                Some(scale) => round(product, scale, sticky, negative),
                None => Err(Refusal::Overflow),
            }
        }
    }
}

/// The leading digits (more than 28) of a product of two 96-bit numbers, how many were dropped and whether one of these
/// was not 0.
fn mul_wide(a: u128, b: u128) -> (u128, u32, bool) {
    const STEP: u32 = 10;
    let [a0, a1, b0, b1] = [a & MASK, a >> 64, b & MASK, b >> 64];
    let low = a0 * b0;
    let middle = a0 * b1 + (low >> 64);
    let middle_low = a1 * b0 + (middle & MASK);
    let mut limbs = [low & MASK, middle_low & MASK, a1 * b1 + (middle >> 64) + (middle_low >> 64)];
    let (mut dropped, mut sticky) = (0, false);
    while limbs[2] != 0 {
        let mut rest = 0;
        for limb in limbs.iter_mut().rev() {
            let value = (rest << 64) | *limb;
            (*limb, rest) = (value / 10u128.pow(STEP), value % 10u128.pow(STEP));
        }
        sticky |= rest != 0;
        dropped += STEP;
    }
    ((limbs[1] << 64) | limbs[0], dropped, sticky)
}

/// `a ÷ b`; by 0 it overflows.
pub(in crate::account) fn div(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let (dividend, divisor) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let mut quotient = dividend.checked_div(divisor).ok_or(Refusal::Overflow)?;
    let mut rest = dividend % divisor;
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
        let widened = rest * 10u128.pow(step);
        quotient = quotient * 10u128.pow(step) + widened / divisor;
        rest = widened % divisor;
        scale += step as i32;
    }
    match u32::try_from(scale) {
        Ok(scale) => round(quotient, scale, rest != 0, negative),
        Err(_) => {
            let factor = 10u128.checked_pow(scale.unsigned_abs());
            let whole = factor.and_then(|factor| quotient.checked_mul(factor)).ok_or(Refusal::Overflow)?;
            round(whole, 0, false, negative)
        }
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
    let drop = digits(mantissa).saturating_sub(DIGITS).max(scale.saturating_sub(MAX_SCALE));
    if drop > scale {
        return Err(Refusal::Overflow);
    }
    let scale = scale - drop;
    let Some(unit) = 10u128.checked_pow(drop) else {
        return Ok(Decimal::ZERO);
    };
    let (mut kept, rest) = (mantissa / unit, mantissa % unit);
    let half = unit / 2;
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
fn digits(number: u128) -> u32 {
    number.checked_ilog10().map_or(0, |log| log + 1)
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
