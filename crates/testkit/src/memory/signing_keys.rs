use tenantry_ports::{
    Carryover, CarryoverRepository, Constraint, SigningKey, SigningKeyRepository, StoreError, StoreResult,
};

use super::control::ControlState;
use super::snapshot::Transaction;

impl SigningKeyRepository for Transaction<ControlState> {
    fn insert(&mut self, key: &SigningKey) -> StoreResult<()> {
        self.change(|state| {
            if state.signing_keys.contains_key(&key.number) {
                return Err(StoreError::Conflict(Constraint::SigningKeyNumber));
            }
            if state.signing_keys.values().any(|other| other.kid == key.kid) {
                return Err(StoreError::Failed("there is a signing key of this name".into()));
            }
            state.signing_keys.insert(key.number, key.clone());
            Ok(())
        })
    }

    fn all(&mut self) -> StoreResult<Vec<SigningKey>> {
        self.look(|state| Ok(state.signing_keys.values().cloned().collect()))
    }

    fn update(&mut self, key: &SigningKey) -> StoreResult<()> {
        self.change(|state| {
            let mut stored = state.signing_keys.values_mut();
            let stored = stored.find(|stored| stored.kid == key.kid && stored.version == key.version - 1);
            let stored = stored.ok_or(StoreError::Stale)?;
            stored.sealed_private.clone_from(&key.sealed_private);
            stored.signs_from = key.signs_from;
            (stored.signs_until, stored.verifies_until) = (key.signs_until, key.verifies_until);
            stored.version = key.version;
            Ok(())
        })
    }
}

impl CarryoverRepository for Transaction<ControlState> {
    fn get(&mut self) -> StoreResult<Option<Carryover>> {
        self.look(|state| Ok(state.carryover.clone()))
    }

    fn put(&mut self, carryover: &Carryover) -> StoreResult<()> {
        self.change(|state| {
            state.carryover = Some(carryover.clone());
            Ok(())
        })
    }
}
