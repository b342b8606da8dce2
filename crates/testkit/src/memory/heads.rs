use tenantry_domain::id::TenantId;
use tenantry_ports::{HeadRepository, SignedHead, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

impl HeadRepository for Transaction<ControlState> {
    fn add(&mut self, heads: &[SignedHead], most: usize) -> StoreResult<Vec<SignedHead>> {
        self.change(|state| {
            let mut kept = Vec::new();
            for head in heads {
                let key = (head.tenant, head.head.sequence);
                if state.heads.contains_key(&key) {
                    continue;
                }
                state.heads.insert(key, *head);
                kept.push(*head);
                let own: Vec<_> =
                    state.heads.keys().filter(|(tenant, _)| *tenant == head.tenant).copied().collect();
                for old in own.iter().rev().skip(most) {
                    state.heads.remove(old);
                }
            }
            Ok(kept)
        })
    }

    fn of(&mut self, tenant: Option<TenantId>) -> StoreResult<Vec<SignedHead>> {
        self.look(|state| Ok(state.heads.values().filter(|head| head.tenant == tenant).copied().collect()))
    }
}
