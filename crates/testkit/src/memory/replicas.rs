use chrono::{DateTime, Utc};
use tenantry_ports::{Replica, ReplicaRepository, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

impl ReplicaRepository for Transaction<ControlState> {
    fn announce(&mut self, replica: &Replica, since: DateTime<Utc>) -> StoreResult<Vec<Replica>> {
        self.change(|state| {
            state.replicas.insert(replica.id.clone(), replica.clone());
            state.replicas.retain(|_, replica| replica.seen_at >= since);
            Ok(state.replicas.values().filter(|other| other.id != replica.id).cloned().collect())
        })
    }

    fn withdraw(&mut self, id: &str) -> StoreResult<()> {
        self.change(|state| {
            state.replicas.remove(id);
            Ok(())
        })
    }
}
