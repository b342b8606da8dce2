//! Workers that are stopped in the midst of their work, for longer than their lease, and then go on as if nothing had been.

use tenantry_tests::{Tenantry, for_each_backend};

use super::inspection;
use super::roads::{ENDS, FROM_THE_POOL, Order, WITHOUT_A_POOL};
use super::strikes::Sleeper;
use super::world::{World, wait_until};

#[test]
fn whoever_slept_through_its_lease_does_no_harm_when_it_wakes() {
    for_each_backend(|backend| {
        let mut world = World::open(backend, 1);
        for (pool, roads) in [
            (0, [WITHOUT_A_POOL[1], WITHOUT_A_POOL[3]]),
            (16, [FROM_THE_POOL[1], FROM_THE_POOL[3]]),
            (16, [ENDS[0], ENDS[0]]),
        ] {
            world.keep_ready(pool);
            let asleep: Vec<_> = roads.iter().flat_map(|road| world.put_to_sleep(road)).collect();
            world.come_right();
            // Whoever was about to drop a database wakes when there is one again.
            world.retry();
            world.come_right();
            wake(asleep);
            world.come_right();
        }
        inspection::prove(&world, 1 + 8 + 6 + 4 + 4 - 4);
    });
}

/// Nobody can do anything about a database while somebody else may be making or removing it, and whoever is stopped then
/// may be. That holds up this one tenant, and no other.
#[test]
fn whoever_sleeps_over_a_database_holds_up_that_one_tenant_only() {
    for_each_backend(|backend| {
        let mut world = World::open(backend, 1);
        for (pool, roads) in [(0, [WITHOUT_A_POOL[1], WITHOUT_A_POOL[2]]), (4, [FROM_THE_POOL[1], ENDS[0]])] {
            world.keep_ready(pool);
            let asleep: Vec<_> = roads.iter().flat_map(|road| world.put_to_sleep_halfway(road)).collect();
            (0..4).for_each(|_| world.order(Order::Tenant));
            let others: Vec<_> = world.tenants.iter().rev().take(4).cloned().collect();
            let workers = world.let_loose();
            let log = || workers.iter().map(Tenantry::log).collect::<String>();
            wait_until(|| {
                let log = log();
                let is_taken_over = |sleeper: &&Sleeper| {
                    log.lines().any(|line| line.contains("Processing") && line.contains(&sleeper.tenant))
                };
                let left = asleep.iter().filter(|sleeper| !is_taken_over(sleeper));
                let left = left.map(|sleeper| format!("nobody has taken over {}", sleeper.tenant));
                let on_their_way = others.iter().filter(|other| world.look(other)["status"] != "Active");
                left.chain(on_their_way.map(|other| format!("{} is not in service", other.slug))).collect()
            });
            wake(asleep);
            drop(workers);
            world.come_right();
        }
        inspection::prove(&world, 4 + 4);
    });
}

/// Lets them go on; each finds out that it is not its turn any more.
fn wake(asleep: Vec<Sleeper>) {
    for sleeper in &asleep {
        sleeper.process.signal("CONT");
    }
    for Sleeper { mut process, .. } in asleep {
        process.wait_for_log("was taken over by another worker");
        assert!(process.terminate().success());
    }
}
