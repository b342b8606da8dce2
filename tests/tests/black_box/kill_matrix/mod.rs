//! `kill -9` before and in the midst of everything a worker does: on both databases, with one process at a time and with
//! three that share a control database.
//!
//! A [`Road`] is what a worker does from beginning to end, effect by effect. On each one, processes are killed at every
//! effect (the binary's crash points see to that), each with a tenant of its own in its hands. Then processes that are
//! not killed are let loose on what was left behind, and everything has to come right: see [`inspection`].

mod inspection;
mod orders;
mod roads;
mod sleepers;
mod strikes;
mod world;

use std::io::Write as _;
use std::panic::resume_unwind;
use std::thread;
use std::time::Instant;

use tenantry_tests::Backend;

use self::roads::{ENDS, FROM_THE_POOL, POOL_IS_FILLED, POOL_IS_SHRUNK, Road, WITHOUT_A_POOL};
use self::world::World;

/// How many databases are kept ready where there is a pool.
const POOL: usize = 24;

#[test]
fn wherever_a_process_is_killed_what_it_was_at_comes_to_a_good_end() {
    let begun = Instant::now();
    let backends = [Some(Backend::Sqlite), Backend::postgres()].into_iter().flatten();
    let worlds: Vec<_> = backends.flat_map(|backend| [(backend, 1), (backend, 3)]).collect();
    let count = worlds.len();
    let kills: Vec<_> = thread::scope(|scope| {
        let travels = worlds.into_iter().map(|(backend, processes)| {
            scope.spawn(move || {
                let report =
                    Report(format!("this happened on {backend} with {processes} process(es) at a time"));
                let kills = travel(World::open(backend, processes));
                drop(report);
                kills
            })
        });
        let travels: Vec<_> = travels.collect();
        travels.into_iter().map(|travel| travel.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let roads = [&WITHOUT_A_POOL[..], &FROM_THE_POOL, &ENDS, &POOL_IS_FILLED, &POOL_IS_SHRUNK].concat();
    let planned: u32 = roads.iter().map(Road::kills).sum();
    assert_eq!(kills, vec![planned; count]);
    // Not `eprintln!`, which the test harness keeps to itself as long as nothing fails.
    let _ = writeln!(
        std::io::stderr().lock(),
        "kill matrix: {count} installations × {} roads, {} processes killed, everything came right, in {} s",
        roads.len(),
        kills.iter().sum::<u32>(),
        begun.elapsed().as_secs(),
    );
}

/// All roads in one world; how many processes were killed.
fn travel(mut world: World) -> u32 {
    world.take(&WITHOUT_A_POOL);
    world.keep_ready(POOL);
    world.take(&FROM_THE_POOL);
    world.take(&ENDS);
    world.take(&POOL_IS_FILLED);
    world.come_right();
    world.take(&POOL_IS_SHRUNK);
    world.come_right();
    inspection::prove(&world, 20);
    world.kills
}

/// Says where it happened, if anything did.
struct Report(String);

impl Drop for Report {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
