//! `[limits]`: how much tenants may have, by what they pay for.

use tenantry_domain::tenant::{Allowance, Limit, Plan, PlanLimits, Plans, QuotaKind};

use super::Reader;

/// Most of anything that is stored.
const MOST: u32 = 1_000_000_000;
/// Highest rate per minute, and most at once.
const FASTEST: u32 = 100_000_000;

/// The settings of a plan: one for each kind of quota, in their order, and that of the burst.
struct Names([&'static str; 6], &'static str);

macro_rules! names {
    ($plan:literal) => {
        Names(
            [
                concat!("limits.plans.", $plan, ".max_accounts"),
                concat!("limits.plans.", $plan, ".max_users"),
                concat!("limits.plans.", $plan, ".max_configs"),
                concat!("limits.plans.", $plan, ".max_api_keys"),
                concat!("limits.plans.", $plan, ".max_webhooks"),
                concat!("limits.plans.", $plan, ".requests_per_minute"),
            ],
            concat!("limits.plans.", $plan, ".burst"),
        )
    };
}

impl Reader<'_> {
    pub(super) fn plans(&mut self) -> Plans {
        Plans::new(|plan| {
            let Names(quotas, burst) = match plan {
                Plan::Basic => names!("basic"),
                Plan::Premium => names!("premium"),
                Plan::Enterprise => names!("enterprise"),
            };
            PlanLimits {
                allowance: Allowance::new(|kind| {
                    let most = if kind == QuotaKind::Requests { FASTEST } else { MOST };
                    match self.number(quotas[kind as usize], 0, most) {
                        0 => Limit::Unlimited,
                        number => Limit::AtMost(number.into()),
                    }
                }),
                burst: self.number(burst, 1, FASTEST),
            }
        })
    }
}
