//! Where workers take turns: none of them calls a port before it is told to.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Some workers, each stopped before its next call of a port.
pub(crate) struct Stage {
    actors: Mutex<Vec<Actor>>,
    changed: Condvar,
}

/// Where one of them stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    /// On its way to its next call.
    Busy,
    /// Before its next call, which may be its last.
    Waiting,
    /// About to die, which a process does without another word.
    Doomed,
    /// It has died, or nothing was left to do.
    Gone,
}

/// What a thread dies of.
struct Death;

thread_local! {
    /// The actor that this thread is, unless it is in the midst of a call: what a call calls is part of it.
    static ROLE: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Stage {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { actors: Mutex::default(), changed: Condvar::new() })
    }

    /// Has another worker do this, and waits until it stands before its first call; its number, from 0.
    pub(crate) fn enter(self: &Arc<Self>, act: impl FnOnce() + Send + 'static) -> (usize, JoinHandle<()>) {
        let number = {
            let mut actors = self.actors();
            actors.push(Actor::Busy);
            actors.len() - 1
        };
        let stage = Arc::clone(self);
        let thread = thread::spawn(move || {
            ROLE.set(Some(number));
            let acted = catch_unwind(AssertUnwindSafe(act));
            ROLE.set(None);
            stage.put(number, Actor::Gone);
            if let Err(panic) = acted
                && !(*panic).is::<Death>()
            {
                resume_unwind(panic);
            }
        });
        self.await_change(number);
        (number, thread)
    }

    /// Has it make its next call; false if it makes none any more.
    pub(crate) fn step(&self, number: usize) -> bool {
        self.prompt(number, Actor::Busy)
    }

    /// Has it die before its next call; false if it makes none any more.
    pub(crate) fn kill(&self, number: usize) -> bool {
        self.prompt(number, Actor::Doomed)
    }

    fn prompt(&self, number: usize, cue: Actor) -> bool {
        let is_there = self.actors()[number] == Actor::Waiting;
        if is_there {
            self.put(number, cue);
            self.await_change(number);
        }
        is_there
    }

    /// A call of a port: happens when its caller is told to go on.
    pub(crate) fn call<T>(&self, act: impl FnOnce() -> T) -> T {
        let Some(number) = ROLE.get() else { return act() };
        self.put(number, Actor::Waiting);
        let mut actors = self.actors();
        while actors[number] == Actor::Waiting {
            actors = self.changed.wait(actors).unwrap_or_else(PoisonError::into_inner);
        }
        let is_doomed = actors[number] == Actor::Doomed;
        drop(actors);
        if is_doomed {
            // Without the words of a panic.
            resume_unwind(Box::new(Death) as Box<dyn Any + Send>);
        }
        ROLE.set(None);
        let answer = act();
        ROLE.set(Some(number));
        answer
    }

    fn put(&self, number: usize, actor: Actor) {
        self.actors()[number] = actor;
        self.changed.notify_all();
    }

    /// Waits until it stands before its next call, or is gone.
    fn await_change(&self, number: usize) {
        let mut actors = self.actors();
        while matches!(actors[number], Actor::Busy | Actor::Doomed) {
            actors = self.changed.wait(actors).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn actors(&self) -> MutexGuard<'_, Vec<Actor>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
