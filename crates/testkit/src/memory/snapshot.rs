//! Transactions over a value: each works on a copy, and a commit puts the copy in the place of the original.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::ThreadId;

use tenantry_ports::{Access, StoreError, StoreResult, Verdict};

/// A table that is cheap to copy: its rows are copied only once one of the copies is written to.
#[derive(Debug, Clone)]
pub(super) struct Table<K, V>(Arc<BTreeMap<K, V>>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Ord + Clone, V: Clone> DerefMut for Table<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

/// A value with one writer at a time, whose readers wait for nobody and see one state throughout.
#[derive(Debug, Default)]
pub(super) struct Shared<S> {
    current: Mutex<S>,
    turn: Turn,
}

impl<S: Clone> Shared<S> {
    pub(super) fn transact(
        &self,
        access: Access,
        body: impl FnOnce(&mut Transaction<S>) -> Verdict,
    ) -> StoreResult<()> {
        let _turn = match access {
            Access::Read => None,
            Access::Write => Some(self.turn.take()?),
        };
        let state = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut transaction = Transaction { state, access, doomed: false };
        match body(&mut transaction) {
            Verdict::Rollback => Ok(()),
            Verdict::Commit if transaction.doomed => Err(doomed()),
            Verdict::Commit => {
                if access == Access::Write {
                    *self.current.lock().unwrap_or_else(PoisonError::into_inner) = transaction.state;
                }
                Ok(())
            }
        }
    }
}

/// One transaction. The stores implement their repositories on it.
#[derive(Debug)]
pub(super) struct Transaction<S> {
    state: S,
    access: Access,
    doomed: bool,
}

impl<S> Transaction<S> {
    /// Looks something up; an error dooms the transaction.
    pub(super) fn look<T>(&mut self, look: impl FnOnce(&S) -> StoreResult<T>) -> StoreResult<T> {
        self.change_if(true, |state| look(state))
    }

    /// Changes something; an error dooms the transaction, and so does trying it in one that only reads.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut S) -> StoreResult<T>) -> StoreResult<T> {
        self.change_if(self.access == Access::Write, change)
    }

    fn change_if<T>(
        &mut self,
        allowed: bool,
        change: impl FnOnce(&mut S) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let result = if self.doomed {
            Err(doomed())
        } else if allowed {
            change(&mut self.state)
        } else {
            Err(StoreError::Failed("a unit of work that only reads cannot write".into()))
        };
        self.doomed |= result.is_err();
        result
    }
}

fn doomed() -> StoreError {
    StoreError::Failed("an earlier error doomed this transaction: nothing of it is kept".into())
}

/// Whose turn it is to write.
#[derive(Debug, Default)]
struct Turn {
    writer: Mutex<Option<ThreadId>>,
    free: Condvar,
}

impl Turn {
    fn take(&self) -> StoreResult<TurnGuard<'_>> {
        let me = std::thread::current().id();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(other) = *writer {
            if other == me {
                // A database would wait for itself here until it times out.
                return Err(StoreError::Failed(
                    "a unit of work that writes was begun inside another one".into(),
                ));
            }
            writer = self.free.wait(writer).unwrap_or_else(PoisonError::into_inner);
        }
        *writer = Some(me);
        Ok(TurnGuard(self))
    }
}

struct TurnGuard<'a>(&'a Turn);

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        *self.0.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(shared: &Shared<i32>) -> i32 {
        let mut seen = 0;
        shared
            .transact(Access::Read, |tx| {
                seen = tx.look(|value| Ok(*value)).unwrap();
                Verdict::Commit
            })
            .unwrap();
        seen
    }

    #[test]
    fn a_writer_that_panics_leaves_nothing_and_is_in_nobodys_way() {
        let shared = Shared::<i32>::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = shared.transact(Access::Write, |tx| {
                tx.change(|value| {
                    *value = 1;
                    Ok(())
                })
                .unwrap();
                panic!("in the middle of it");
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(value(&shared), 0);
        shared
            .transact(Access::Write, |tx| {
                tx.change(|value| {
                    *value = 2;
                    Ok(())
                })
                .unwrap();
                Verdict::Commit
            })
            .unwrap();
        assert_eq!(value(&shared), 2);
    }

    #[test]
    fn a_writer_within_a_writer_is_told_so_instead_of_waiting_for_ever() {
        let shared = Shared::<i32>::default();
        shared
            .transact(Access::Write, |_| {
                assert!(shared.transact(Access::Write, |_| Verdict::Commit).is_err());
                assert_eq!(value(&shared), 0);
                Verdict::Commit
            })
            .unwrap();
    }

    #[test]
    fn a_reader_keeps_seeing_the_state_it_began_with() {
        let shared = Shared::<i32>::default();
        shared
            .transact(Access::Read, |reader| {
                shared
                    .transact(Access::Write, |tx| {
                        tx.change(|value| {
                            *value = 1;
                            Ok(())
                        })
                        .unwrap();
                        Verdict::Commit
                    })
                    .unwrap();
                assert_eq!(reader.look(|value| Ok(*value)).unwrap(), 0);
                Verdict::Commit
            })
            .unwrap();
        assert_eq!(value(&shared), 1);
    }
}
