use rust_decimal::Decimal;

use super::super::Refusal;
use super::{DIGITS, MAX_SCALE, POWERS, digits, divide_by_power, round};

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
    #[inline(always)]
    pub(in crate::account) fn add(&mut self, term: Decimal) {
        let (mantissa, scale) = (term.mantissa(), term.scale());
        // As many decimals as before, most often; a term has 96 bits.
        if scale == self.scale && self.total.unsigned_abs() >> 125 == 0 {
            self.total += mantissa;
            return;
        }
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
    #[inline(always)]
    pub(in crate::account) fn value(self) -> Result<Decimal, Refusal> {
        if self.spilled.is_none() {
            return round(self.total.unsigned_abs(), self.scale, false, self.total < 0);
        }
        self.spilled_value()
    }

    #[cold]
    fn spilled_value(mut self) -> Result<Decimal, Refusal> {
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
