use chrono::{DateTime, Utc};
use tenantry_ports::{NonceRepository, NonceUse, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

impl NonceRepository for Transaction<ControlState> {
    fn remember(
        &mut self,
        hash: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> StoreResult<NonceUse> {
        self.change(|state| {
            state.nonces.retain(|_, expires_at| now < *expires_at);
            if state.nonces.contains_key(hash) {
                return Ok(NonceUse::Again);
            }
            state.nonces.insert(*hash, expires_at);
            Ok(NonceUse::First)
        })
    }
}
