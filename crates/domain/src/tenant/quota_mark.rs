use super::{Allowance, Limit, QuotaKind};

/// How near a quota is to its end. None of these: far from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaMark {
    /// Four fifths are used.
    Warning,
    /// Nothing is left.
    Reached,
}

impl Allowance {
    /// What mark of the quota of this kind is passed where there are `used`.
    pub const fn mark(&self, kind: QuotaKind, used: u64) -> Option<QuotaMark> {
        match self.of(kind) {
            Limit::AtMost(limit) if used >= limit => Some(QuotaMark::Reached),
            Limit::AtMost(limit) if used >= limit - limit / 5 => Some(QuotaMark::Warning),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use QuotaMark::{Reached, Warning};

    use super::*;

    #[test]
    fn a_mark_is_passed_at_four_fifths_and_one_at_all_of_it() {
        for (limit, used, expected) in [
            (100, 0, None),
            (100, 79, None),
            (100, 80, Some(Warning)),
            (100, 99, Some(Warning)),
            (100, 100, Some(Reached)),
            (100, 101, Some(Reached)),
            (7, 5, None),
            (7, 6, Some(Warning)),
            // Of a few, the last one is the first that is more than four fifths.
            (4, 3, None),
            (4, 4, Some(Reached)),
            (1, 0, None),
            (1, 1, Some(Reached)),
            (0, 0, Some(Reached)),
            (u64::MAX, u64::MAX / 2, None),
            (u64::MAX, u64::MAX - 1, Some(Warning)),
        ] {
            let allowance = Allowance::new(|_| Limit::AtMost(limit));
            assert_eq!(allowance.mark(QuotaKind::Users, used), expected, "{used} of {limit}");
        }
        assert_eq!(Allowance::UNLIMITED.mark(QuotaKind::Users, u64::MAX), None);
    }

    #[test]
    fn marks_are_ordered_by_how_near_the_end_is() {
        assert!(None < Some(Warning) && Some(Warning) < Some(Reached));
    }
}
