#[expect(dead_code, reason = "the tests of the whole engine use all of it")]
#[path = "../../../../tests/engine/digits.rs"]
mod digits_on_paper;

use proptest::prelude::*;

use self::digits_on_paper::Paper;
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
    fn three_are_multiplied_as_two_and_then_one(a in number(), b in number(), c in number(), scale in 0u32..10) {
        // With few decimals, so that often nothing is rounded.
        let few = |number: Decimal| decimal(number.mantissa().unsigned_abs(), scale, number.is_sign_negative());
        for [a, b, c] in [[a, b, c], [a, b, c].map(few)] {
            let two = mul(a, b).and_then(|product| mul(product, c));
            prop_assert_eq!(mul_three(a, b, c), two, "{} * {} * {}", a, b, c);
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
