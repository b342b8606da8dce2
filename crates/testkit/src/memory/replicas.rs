use chrono::{DateTime, Utc};
use tenantry_ports::{Replica, ReplicaRepository, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

impl ReplicaRepository for Transaction<ControlState> {
    fn announce(&mut self, replica: &Replica, since: DateTime<Utc>) -> StoreResult<Vec<Replica>> {
        self.change(|state| {
            state.replicas.insert(replica.id.clone(), replica.clone());
            state.replicas.retain(|_, replica| replica.seen_at >= since);
            Ok(others(state, &replica.id, since))
        })
    }

    fn others(&mut self, id: &str, since: DateTime<Utc>) -> StoreResult<Vec<Replica>> {
        self.look(|state| Ok(others(state, id, since)))
    }

    fn withdraw(&mut self, id: &str) -> StoreResult<()> {
        self.change(|state| {
            state.replicas.remove(id);
            Ok(())
        })
    }
}

fn others(state: &ControlState, id: &str, since: DateTime<Utc>) -> Vec<Replica> {
    let others = state.replicas.values().filter(|other| other.id != id && other.seen_at >= since);
    others.cloned().collect()
}
