use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::PoolState;

use super::queue::minutes;
use super::registry::Registry;
use super::{Remedy, Symptom};
use crate::Platform;

/// What a worker does every second has waited too long after this.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

const NEXT: &str = "start a worker (`tenantry serve --role worker`): it keeps the pool; its log says what keeps it from doing so";

/// What is wrong with the warm pool.
pub(super) fn symptoms(platform: &Platform, registry: &Registry, now: DateTime<Utc>) -> Vec<Symptom> {
    let abandoned = registry.pool.values().filter_map(|(pooled, state)| match state {
        PoolState::InWork { until } if *until <= now - PATIENCE => {
            let ago = minutes(now - *until);
            let what = format!("whoever worked on it has been silent for {ago}, and nobody carries on");
            let next = "start a worker, or run `tenantry doctor --fix`";
            let symptom = Symptom::warning("abandoned_pooled_database", pooled.database.as_str(), what, next);
            Some(symptom.with(Remedy::TendPool))
        }
        _ => None,
    });
    let mut symptoms: Vec<_> = abandoned.collect();
    let wanted = platform.policy.pool_size;
    for cluster in platform.policy.placement.clusters() {
        let here = || registry.pool.values().filter(|(pooled, _)| pooled.cluster == *cluster);
        let ready = here().filter(|(_, state)| matches!(state, PoolState::Ready { .. })).count();
        let under_way = here().any(|(_, state)| matches!(state, PoolState::InWork { until } if *until > now));
        let place = format!("warm pool on {cluster}");
        if ready < wanted && !under_way {
            let what = format!("{ready} of {wanted} databases are ready, and nobody makes more");
            symptoms.push(Symptom::warning("pool_below_size", place, what, NEXT));
        } else if wanted > 0 {
            symptoms.push(Symptom::ok("pool", place, format!("{ready} of {wanted} databases are ready")));
        }
    }
    symptoms
}
