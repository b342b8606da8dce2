/// How likely it is that two samples differ in their ranks as much as these, or more, if both are of the same kind: the
/// two-sided p of Mann and Whitney's U, by its normal approximation with a correction for ties. Good from some twenty values of
/// each on; 1 where there is nothing to compare.
pub fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let (n1, n2) = (one.len() as f64, other.len() as f64);
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let count = equal.len() as f64;
        // Those that are equal share their ranks.
        let rank = before + (count + 1.0) / 2.0;
        ranks += rank * equal.iter().filter(|(_, of_one)| *of_one).count() as f64;
        ties += count.powi(3) - count;
        before += count;
    }
    let n = n1 + n2;
    let deviation = (ranks - n1 * (n + 1.0) / 2.0).abs() - 0.5;
    let variance = n1 * n2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance > 0.0 && deviation > 0.0 { both_tails(deviation / variance.sqrt()) } else { 1.0 }
}

/// How much of a normal distribution is at least so many standard deviations off its middle. Abramowitz and Stegun, 7.1.26:
/// exact to 1.5e-7.
fn both_tails(deviations: f64) -> f64 {
    let x = deviations / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let terms = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let sum = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    sum * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
    }

    #[test]
    fn the_tails_are_those_of_the_tables() {
        for (deviations, expected) in [(0.0, 1.0), (1.0, 0.317_311), (1.959_964, 0.05), (2.575_829, 0.01)] {
            assert_near(both_tails(deviations), expected);
        }
    }

    /// U = 0 of 5 and 5 that do not overlap: z = (12.5 - 0.5) / sqrt(25 * 11 / 12).
    #[test]
    fn samples_that_do_not_overlap_are_told_apart() {
        let (low, high) = ([1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]);
        assert_near(mann_whitney(&low, &high), 0.012_186);
        assert_near(mann_whitney(&high, &low), 0.012_186);
    }

    /// Ranks 1.5 1.5 3.5 5.5 and 3.5 5.5 7.5 7.5: U = 2, four pairs of ties.
    #[test]
    fn ties_share_their_ranks() {
        let p = mann_whitney(&[1.0, 1.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 4.0]);
        let variance: f64 = 16.0 / 12.0 * (9.0 - 24.0 / 56.0);
        assert_near(p, both_tails(5.5 / variance.sqrt()));
    }

    #[test]
    fn samples_of_the_same_kind_are_not() {
        let (even, odd): (Vec<f64>, Vec<f64>) =
            ((0..200).map(|n| f64::from(2 * n)).collect(), (0..200).map(|n| f64::from(2 * n + 1)).collect());
        assert!(mann_whitney(&even, &odd) > 0.8);
        assert_near(mann_whitney(&[1.0; 30], &[1.0; 30]), 1.0);
        assert_near(mann_whitney(&[], &[1.0]), 1.0);
        let shifted: Vec<f64> = odd.iter().map(|value| value + 60.0).collect();
        assert!(mann_whitney(&even, &shifted) < 0.01);
    }
}
