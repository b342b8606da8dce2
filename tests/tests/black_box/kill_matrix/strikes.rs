//! Processes that die, or stop, where they are told to.

use std::os::unix::process::ExitStatusExt as _;

use tenantry_tests::Tenantry;

use super::inspection;
use super::roads::{Order, Road};
use super::world::World;

/// At how many points processes are killed at each effect: before it, early in it, late in it.
const POINTS: usize = 3;
const SIGKILL: i32 = 9;

/// An effect that a process met with.
#[derive(Debug)]
struct Met {
    number: usize,
    name: String,
    /// How long it took; none if something else happened instead.
    micros: Option<u64>,
}

/// A process that was stopped.
#[derive(Debug)]
pub(super) struct Sleeper {
    pub(super) process: Tenantry,
    /// The id of the tenant it was working for.
    pub(super) tenant: String,
}

impl World {
    /// Has processes killed everywhere on these roads.
    pub(super) fn take(&mut self, roads: &[Road]) {
        roads.iter().for_each(|road| self.take_one(road));
    }

    fn take_one(&mut self, road: &Road) {
        let met = self.measure(road);
        // Those who make the pool smaller all reach for the same database.
        let at_once = if road.order == Order::NoPool { 1 } else { self.processes };
        for number in road.killed_at() {
            let took = met[number - 1].micros.unwrap_or_default();
            let points: [String; POINTS] = [
                format!("{number}:kill"),
                format!("{number}:kill:{}", took / 4),
                format!("{number}:kill:{}", took * 3 / 4),
            ];
            for points in points.chunks(at_once) {
                for met in self.strike(road, points) {
                    let end = met.iter().rfind(|met| met.micros.is_none()).expect("it met its end");
                    assert_eq!((end.number, &*end.name), (number, road.effects()[number - 1]));
                }
            }
        }
    }

    /// Has one process killed before it looks for more to do, which shows that this is all, and how long each effect takes.
    fn measure(&mut self, road: &Road) -> Vec<Met> {
        let (effects, end) = (road.effects(), road.effects().len() + 1);
        self.prepare(road, 1);
        let ordered = self.waiting.first().cloned();
        let mut met = self.strike(road, &[format!("{end}:kill")]).remove(0);
        met.sort_by_key(|met| met.number);
        assert!(met.pop().is_some_and(|last| last.number == end && last.name == "control"));
        let names: Vec<_> = met.iter().map(|met| &*met.name).collect();
        assert_eq!(names, effects, "what is done for {:?}", road.order);
        let is_done = ordered.is_none_or(|ordered| inspection::is_settled(&self.look(&ordered)));
        assert!(is_done, "that is all that is done for {:?}", road.order);
        met
    }

    /// Has processes killed at these points, each with an order to work on; what they met with.
    fn strike(&mut self, road: &Road, points: &[String]) -> Vec<Vec<Met>> {
        self.provide(road, points.len());
        let mut processes: Vec<_> = points.iter().map(|point| self.launch(road, point)).collect();
        for process in &mut processes {
            assert_eq!(process.wait_for_exit().signal(), Some(SIGKILL), "{}", process.log());
        }
        self.note_what_was_begun();
        self.kills += u32::try_from(points.len()).unwrap();
        processes.iter().map(|process| met_with(&process.log())).collect()
    }

    /// Starts a process for each effect of this road, each with an order to work on, and has it stop before that effect.
    pub(super) fn put_to_sleep(&mut self, road: &Road) -> Vec<Sleeper> {
        // Before the first one there is nothing that it could have missed.
        let numbers = road.killed_at().filter(|number| *number > 1);
        numbers.map(|number| self.stop_at(road, number, &format!("{number}:pause"))).collect()
    }

    /// Has a process stop halfway through each of the road's effects on databases themselves.
    pub(super) fn put_to_sleep_halfway(&mut self, road: &Road) -> Vec<Sleeper> {
        let met = self.measure(road);
        let halfway = |number: &usize| ["create", "adopt", "remove"].contains(&&*met[number - 1].name);
        let stop = |number: usize| {
            let took = met[number - 1].micros.unwrap_or_default();
            self.stop_at(road, number, &format!("{number}:pause:{}", took / 2))
        };
        road.killed_at().filter(halfway).map(stop).collect()
    }

    fn stop_at(&mut self, road: &Road, number: usize, point: &str) -> Sleeper {
        self.provide(road, 1);
        let tenant = self.waiting[0].id.clone();
        let mut process = self.launch(road, point);
        process.wait_for_log(&format!("\nasleep {number}\n"));
        self.note_what_was_begun();
        Sleeper { process, tenant }
    }

    /// Sees to it that there are orders for so many processes, and enough in the pool if that is where databases come from.
    fn provide(&mut self, road: &Road, processes: usize) {
        if self.pool > 0 && road.takes_a_database() {
            if self.stock < processes {
                self.come_right();
            }
            self.stock -= processes;
        }
        self.prepare(road, processes);
    }

    fn launch(&self, road: &Road, point: &str) -> Tenantry {
        let fault = road.fault().map_or_else(String::new, |number| format!("{number}:fail "));
        let pool = match road.order {
            Order::FullerPool => 1000,
            Order::NoPool => 0,
            _ => self.pool,
        };
        let settings = [
            self.era(),
            ("TENANTRY_TEST_CRASH_POINT", format!("{} {fault}{point}", road.threads())),
            ("TENANTRY__PROVISIONING__LEASE", "10m".to_owned()),
            ("TENANTRY__PROVISIONING__WORKERS", "1".to_owned()),
            ("TENANTRY__TENANT_DATABASES__POOL_SIZE", pool.to_string()),
        ];
        let settings = settings.each_ref().map(|(name, value)| (*name, &**value));
        self.installation.launch(&["--role", "worker"], &settings)
    }
}

fn met_with(log: &str) -> Vec<Met> {
    let mut met = Vec::new();
    for line in log.lines() {
        let mut words = line.split(' ');
        let micros = match words.next() {
            Some("effect") => true,
            Some("incident") => false,
            _ => continue,
        };
        let (Some(number), Some(name), Some(last)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let micros = if micros { last.parse().ok() } else { None };
        met.push(Met { number: number.parse().unwrap(), name: name.to_owned(), micros });
    }
    met
}
