use tenantry_ports::{FloorRepository, LogFloor, LogHead, LogSpan, StoreError, StoreResult};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl FloorRepository for Transaction<TenantState> {
    fn get(&mut self) -> StoreResult<Option<LogFloor>> {
        self.look(|state| Ok(state.log.tampered.as_ref().map_or(state.log.floor, |log| log.floor)))
    }

    fn span(&mut self) -> StoreResult<LogSpan> {
        let floor = self.get()?.map_or(0, |floor| floor.head.sequence);
        self.look(|state| Ok(LogSpan { floor, head: state.log.written() }))
    }

    fn raise(&mut self, floor: &LogFloor) -> StoreResult<usize> {
        self.change(|state| {
            let LogHead { sequence, hash } = floor.head;
            if state.log.floor.is_some_and(|before| before.head == floor.head) {
                state.log.floor = Some(*floor);
                return Ok(0);
            }
            let is_entry = state.log.entries.get(&sequence).is_some_and(|entry| entry.hash == hash);
            if !is_entry || sequence >= state.log.written().sequence {
                return Err(StoreError::Stale);
            }
            let before = state.log.entries.len();
            state.log.entries.retain(|place, _| *place > sequence);
            state.log.floor = Some(*floor);
            Ok(before - state.log.entries.len())
        })
    }

    fn begin(&mut self, floor: &LogFloor) -> StoreResult<()> {
        self.change(|state| match state.log.floor {
            Some(before) if before.head == floor.head && state.log.entries.is_empty() => Ok(()),
            None if state.log.entries.is_empty() => {
                state.log.floor = Some(*floor);
                Ok(())
            }
            _ => Err(StoreError::Stale),
        })
    }
}
