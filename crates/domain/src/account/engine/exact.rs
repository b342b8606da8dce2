//! The engine's arithmetic: decimals of 28 significant digits (and at most 28 decimals), rounded half to even.
//!
//! Every operation rounds its exact result once, so the outcome does not depend on how a number is written (`1.10` or
//! `1.1`), and other implementations can agree to the last digit: it is what Python's `decimal` does by default.
//! `rust_decimal` itself keeps 28 or 29 digits, whichever fit into 96 bits. Results are not stripped of trailing zeros;
//! that is done where an amount is written.

mod sum;

pub(in crate::account) use sum::Sum;

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
#[inline(always)]
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
#[inline(always)]
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
#[inline(always)]
pub(in crate::account) fn sub(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    add(a, -b)
}

/// `a × b`.
#[inline(always)]
pub(in crate::account) fn mul(a: Decimal, b: Decimal) -> Result<Decimal, Refusal> {
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let scale = a.scale() + b.scale();
    let (a, b) = (magnitude(a), magnitude(b));
    if a.leading_zeros() + b.leading_zeros() >= 128 {
        return round(a * b, scale, false, negative);
    }
    let (product, dropped, sticky) = mul_wide(a, b);
    let scale = scale.checked_sub(dropped).ok_or(Refusal::Overflow)?;
    round(product, scale, sticky, negative)
}

/// `a × b × c`, each product rounded.
#[inline(always)]
pub(in crate::account) fn mul_three(a: Decimal, b: Decimal, c: Decimal) -> Result<Decimal, Refusal> {
    let scale = a.scale() + b.scale() + c.scale();
    let [x, y, z] = [a, b, c].map(magnitude);
    // Mostly the product has at most 93 bits, and so has what is multiplied first: there is nothing to round.
    if x.leading_zeros() + y.leading_zeros() + z.leading_zeros() >= 3 * 128 - 93 && scale <= MAX_SCALE {
        let negative = a.is_sign_negative() ^ b.is_sign_negative() ^ c.is_sign_negative();
        return Ok(decimal(x * y * z, scale, negative));
    }
    mul(mul(a, b)?, c)
}

/// The number without its sign and its point.
#[inline(always)]
fn magnitude(number: Decimal) -> u128 {
    let parts = number.unpack();
    (u128::from(parts.hi) << 64) | (u128::from(parts.mid) << 32) | u128::from(parts.lo)
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
    let (dividend, divisor) = (magnitude(a), magnitude(b));
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
#[inline(always)]
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
    let least = ((128 - number.leading_zeros()) * 1233) >> 12;
    least + u32::from(number >= POWERS[least as usize])
}

/// Whether `a` is less than `b`.
#[inline(always)]
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

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each part is one word of it")]
fn decimal(mantissa: u128, scale: u32, negative: bool) -> Decimal {
    Decimal::from_parts(mantissa as u32, (mantissa >> 32) as u32, (mantissa >> 64) as u32, negative, scale)
}

#[cfg(test)]
mod tests;
