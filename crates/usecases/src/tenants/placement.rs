use std::collections::BTreeMap;

use tenantry_domain::tenant::{ClusterName, Plan};
use tenantry_ports::{ControlTx, StoreResult};

/// On which servers tenants' databases are made: where the operator says in the order, else where the plan belongs, else
/// where there are the fewest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    clusters: Vec<ClusterName>,
    by_plan: BTreeMap<Plan, ClusterName>,
}

/// There is no server of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no cluster '{0}'")]
pub struct UnknownCluster(pub ClusterName);

impl Placement {
    /// Placement on these servers (at least one; the first is where ties go), and these plans' tenants where they belong.
    pub fn new(
        clusters: Vec<ClusterName>,
        by_plan: BTreeMap<Plan, ClusterName>,
    ) -> Result<Self, UnknownCluster> {
        let clusters = if clusters.is_empty() { vec![ClusterName::default()] } else { clusters };
        match by_plan.values().find(|cluster| !clusters.contains(cluster)) {
            Some(unknown) => Err(UnknownCluster(unknown.clone())),
            None => Ok(Self { clusters, by_plan }),
        }
    }

    /// The servers.
    pub fn clusters(&self) -> &[ClusterName] {
        &self.clusters
    }

    /// Where a tenant of this plan goes; `wish` is what the operator says.
    pub(super) fn choose(
        &self,
        tx: &mut dyn ControlTx,
        plan: Plan,
        wish: Option<&ClusterName>,
    ) -> StoreResult<Result<ClusterName, UnknownCluster>> {
        if let Some(wish) = wish {
            let known = self.clusters.contains(wish);
            return Ok(if known { Ok(wish.clone()) } else { Err(UnknownCluster(wish.clone())) });
        }
        if let Some(cluster) = self.by_plan.get(&plan) {
            return Ok(Ok(cluster.clone()));
        }
        if let [only] = &self.clusters[..] {
            return Ok(Ok(only.clone()));
        }
        let used: BTreeMap<ClusterName, u64> = tx.tenants().per_cluster()?.into_iter().collect();
        let least = self.clusters.iter().min_by_key(|cluster| used.get(cluster).copied().unwrap_or(0));
        Ok(Ok(least.cloned().unwrap_or_default()))
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self { clusters: vec![ClusterName::default()], by_plan: BTreeMap::new() }
    }
}
