//! Has this process die, sleep or fail at a chosen effect, for the tests that need a process to. Debug builds only.
//!
//! `TENANTRY_TEST_CRASH_POINT="provision 8:fail 13:kill"` watches the threads whose names begin with `provision` and
//! counts their effects: every writing unit of work, and every making, adopting, migrating or removing of a database,
//! from 1. What other threads do does not count, so that the same work has the same numbers every time. At the effects
//! that are named
//!
//! - `kill` sends SIGKILL before the effect begins, which is also after the one before it, and `kill:1500` 1500 µs after it has
//!   begun, or at its end if that comes sooner;
//! - `pause` sends SIGSTOP before the effect begins, and `pause:1500` as `kill` does; with SIGCONT it goes on as if nothing had
//!   been. That happens once, and no other thread of a name begins an effect before: what it would be in the midst of, nobody
//!   else could go on with;
//! - `fail` has the effect not take place, for a reason that will not pass.
//!
//! Standard error says what was met, `effect 3 create 81234` where that took so many microseconds, so that a test can aim, and
//! `asleep 3` just before a pause; at once, unlike the log, which a dying process takes with it.
//!
//! `TENANTRY_TEST_CLOCK_AHEAD=3600` has the process believe that it is an hour later, so that nobody has to wait until the
//! leases of the dead expire.

mod clock;
mod ports;
mod signals;

use std::collections::BTreeMap;
use std::io::{Write as _, stderr};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tenantry_ports::Clock;
use tenantry_usecases::Platform;

use self::clock::Ahead;
use self::ports::Watched;
use self::signals::Signals;
use crate::failure::Failure;

const VARIABLE: &str = "TENANTRY_TEST_CRASH_POINT";
const CLOCK_VARIABLE: &str = "TENANTRY_TEST_CLOCK_AHEAD";

/// The clock, or another one if the environment says so.
pub(crate) fn set(clock: Arc<dyn Clock>) -> Result<Arc<dyn Clock>, Failure> {
    let Some(text) = std::env::var_os(CLOCK_VARIABLE) else {
        return Ok(clock);
    };
    let wrong = || Failure::new(format!("{CLOCK_VARIABLE} is no number of seconds"), "write it as in `3600`");
    Ok(Arc::new(Ahead::parse(&clock, &text.to_string_lossy()).ok_or_else(wrong)?))
}

/// The platform, watched if the environment says so.
pub(crate) fn plant(platform: Platform) -> Result<Platform, Failure> {
    let Some(text) = std::env::var_os(VARIABLE) else {
        return Ok(platform);
    };
    let plan: Plan = text.to_string_lossy().parse().map_err(|error| {
        Failure::new(format!("{VARIABLE}: {error}"), "write it as in `provision 8:fail 13:kill:1500`")
    })?;
    let signals = Signals::new().map_err(|error| Failure::new(error, format!("do without {VARIABLE}")))?;
    Ok(watch(platform, plan, signals))
}

fn watch(platform: Platform, plan: Plan, signals: Signals) -> Platform {
    let signals = Arc::new(signals);
    let pauses = |incident: &Incident| matches!(incident, Incident::Pause | Incident::PauseAfter(_));
    let pause = Arc::new(Pause {
        to_come: AtomicBool::new(plan.incidents.values().any(pauses)),
        turn: Mutex::default(),
        signals: Arc::clone(&signals),
    });
    let watch = Arc::new(Watch { plan, met: AtomicU32::new(0), pause, signals });
    Platform {
        control: Arc::new(Watched::new(&platform.control, &watch)),
        databases: Arc::new(Watched::new(&platform.databases, &watch)),
        stores: Arc::new(Watched::new(&platform.stores, &watch)),
        ..platform
    }
}

/// What happens at which effect of which threads.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    threads: String,
    incidents: BTreeMap<u32, Incident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incident {
    Kill,
    KillAfter(Duration),
    Pause,
    PauseAfter(Duration),
    Fail,
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let threads = words.next().ok_or("it names no threads")?.to_owned();
        let incident = |word: &str| {
            let (number, what) = word.split_once(':')?;
            let incident = match what.split_once(':') {
                None if what == "kill" => Incident::Kill,
                None if what == "pause" => Incident::Pause,
                None if what == "fail" => Incident::Fail,
                Some(("kill", micros)) => Incident::KillAfter(Duration::from_micros(micros.parse().ok()?)),
                Some(("pause", micros)) => Incident::PauseAfter(Duration::from_micros(micros.parse().ok()?)),
                _ => return None,
            };
            Some((number.parse().ok()?, incident))
        };
        let incidents = words.map(|word| incident(word).ok_or_else(|| format!("'{word}' is no incident")));
        Ok(Self { threads, incidents: incidents.collect::<Result<_, _>>()? })
    }
}

/// Counts effects, and sees to it that the plan comes true.
struct Watch {
    plan: Plan,
    met: AtomicU32,
    pause: Arc<Pause>,
    signals: Arc<Signals>,
}

/// The one pause that there may be.
struct Pause {
    to_come: AtomicBool,
    turn: Mutex<()>,
    signals: Arc<Signals>,
}

impl Pause {
    /// Stops the process, unless that has been.
    fn take(&self, number: u32) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.to_come.load(Ordering::SeqCst) {
            say(&format!("asleep {number}"));
            self.signals.pause();
            self.to_come.store(false, Ordering::SeqCst);
        }
    }
}

impl Watch {
    /// Has an effect happen, or what the plan says instead.
    fn effect<T, E>(
        &self,
        what: &str,
        failure: fn(&'static str) -> E,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match thread::current().name() {
            Some(name) if name.starts_with(&self.plan.threads) => self.counted(what, failure, act),
            Some(_) => {
                while self.pause.to_come.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(5));
                }
                act()
            }
            None => act(),
        }
    }

    fn counted<T, E>(
        &self,
        what: &str,
        failure: fn(&'static str) -> E,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let number = self.met.fetch_add(1, Ordering::SeqCst) + 1;
        let incident = self.plan.incidents.get(&number).copied();
        if let Some(incident) = incident {
            say(&format!("incident {number} {what} {incident:?}"));
        }
        match incident {
            Some(Incident::Kill) => self.signals.kill(),
            Some(Incident::KillAfter(delay)) => {
                let signals = Arc::clone(&self.signals);
                after(delay, move || signals.kill());
            }
            Some(Incident::Pause) => self.pause.take(number),
            Some(Incident::PauseAfter(delay)) => {
                let pause = Arc::clone(&self.pause);
                after(delay, move || pause.take(number));
            }
            Some(Incident::Fail) => return Err(failure("a crash point has it fail")),
            None => {}
        }
        let begun = Instant::now();
        let outcome = act();
        match incident {
            Some(Incident::KillAfter(_)) => self.signals.kill(),
            Some(Incident::PauseAfter(_)) => self.pause.take(number),
            _ => {}
        }
        say(&format!("effect {number} {what} {}", begun.elapsed().as_micros()));
        outcome
    }
}

fn after(delay: Duration, act: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(delay);
        act();
    });
}

/// Writes a line at once and in one piece, whatever else is being written, and however soon the process is going to die.
fn say(line: &str) {
    let _ = stderr().lock().write_all(format!("\n{line}\n").as_bytes());
}

#[cfg(test)]
mod tests;
