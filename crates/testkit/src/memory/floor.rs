use tenantry_ports::{FloorRepository, LogFloor, LogHead, LogSpan, StoreError, StoreResult};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl FloorRepository for Transaction<TenantState> {
    fn get(&mut self) -> StoreResult<Option<LogFloor>> {
        self.look(|state| Ok(state.tampered.as_ref().map_or(state.floor, |log| log.floor)))
    }

    fn span(&mut self) -> StoreResult<LogSpan> {
        let floor = self.get()?.map_or(0, |floor| floor.head.sequence);
        self.look(|state| Ok(LogSpan { floor, head: state.log_head() }))
    }

    fn raise(&mut self, floor: &LogFloor) -> StoreResult<usize> {
        self.change(|state| {
            let LogHead { sequence, hash } = floor.head;
            if state.floor.is_some_and(|before| before.head == floor.head) {
                state.floor = Some(*floor);
                return Ok(0);
            }
            let is_entry = state.log.get(&sequence).is_some_and(|entry| entry.hash == hash);
            if !is_entry || sequence >= state.log_head().sequence {
                return Err(StoreError::Stale);
            }
            let before = state.log.len();
            state.log.retain(|place, _| *place > sequence);
            state.floor = Some(*floor);
            Ok(before - state.log.len())
        })
    }

    fn begin(&mut self, floor: &LogFloor) -> StoreResult<()> {
        self.change(|state| match state.floor {
            Some(before) if before.head == floor.head && state.log.is_empty() => Ok(()),
            None if state.log.is_empty() => {
                state.floor = Some(*floor);
                Ok(())
            }
            _ => Err(StoreError::Stale),
        })
    }
}
