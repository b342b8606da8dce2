//! Telling the tenant's log when a quota is nearly used up, and when it is.

use tenantry_domain::tenant::{Allowance, QuotaKind};

use crate::journal::{self, Traced};

/// How many there are of what there may be how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level<'a> {
    pub(crate) allowance: &'a Allowance,
    pub(crate) used: u64,
}

/// What to note if by a change from one level to another a mark is passed that was not before: once, however much is used
/// beyond it afterwards, until it is less again.
pub(crate) fn passed(kind: QuotaKind, before: Level<'_>, after: Level<'_>, trace: &str) -> Option<Traced> {
    let mark = after.allowance.mark(kind, after.used)?;
    let is_new = before.allowance.mark(kind, before.used) < Some(mark);
    let limit = after.allowance.of(kind);
    is_new.then(|| journal::quota_passed(mark, kind, limit, after.used, trace.to_owned()))
}

/// The same for one more of what there are `used` of.
pub(crate) fn passed_by_one(
    kind: QuotaKind,
    allowance: &Allowance,
    used: u64,
    trace: &str,
) -> Option<Traced> {
    passed(kind, Level { allowance, used }, Level { allowance, used: used + 1 }, trace)
}
