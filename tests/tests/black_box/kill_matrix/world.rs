use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_tests::{Backend, Installation, Tenantry};

use super::inspection;
use super::roads::{Order, Road};

/// How long processes are killed, at most, before what they left is put right. Whatever one of them had leased is nobody
/// else's until the end of such a chapter, so that each is killed over an order of its own.
const CHAPTER: Duration = Duration::from_secs(20);
/// What is left of it has to be enough for another few processes.
const MARGIN: Duration = Duration::from_secs(3);
/// At how many points processes are killed at each effect: before it, early in it, late in it.
const POINTS: usize = 3;
const SHORTEST_LEASE: Duration = Duration::from_secs(2);
/// How long what was left may take to come right once the leases have expired.
const PATIENCE: Duration = Duration::from_secs(30);

const PULSE: Duration = Duration::from_millis(200);
const SIGKILL: i32 = 9;

/// A tenant that was ordered here.
#[derive(Debug, Clone)]
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) id: String,
    pub(super) slug: String,
}

/// An installation whose workers are killed.
#[derive(Debug)]
pub(super) struct World {
    pub(super) installation: Installation,
    /// Takes the orders, and lives on.
    pub(super) api: Tenantry,
    /// How many workers are there at a time.
    processes: usize,
    /// How many databases the pool is to have.
    pub(super) pool: usize,
    pub(super) tenants: Vec<Ordered>,
    /// Those that nobody has begun with.
    waiting: Vec<Ordered>,
    /// So many of the pool's databases have not been taken since then.
    stock: usize,
    /// When every lease of those who were killed has expired; none if nobody was killed since everything came right.
    end_of_chapter: Option<Instant>,
    /// How often processes are going to be killed on the roads before them, and how long that takes each time.
    strikes_left: u32,
    pace: Duration,
    kills: u32,
}

/// An effect that a process met with.
#[derive(Debug)]
struct Met {
    number: usize,
    name: String,
    /// How long it took; none if something else happened instead.
    micros: Option<u64>,
}

impl World {
    pub(super) fn open(backend: Backend, processes: usize) -> Self {
        // However busy the machine is.
        let installation = Installation::with(backend, &[("TENANTRY__DATABASE__CONNECT_TIMEOUT", "30s")]);
        let mut world = Self {
            api: installation.start_with(&["--role", "api"], &[]),
            installation,
            processes,
            pool: 0,
            tenants: Vec::new(),
            waiting: Vec::new(),
            stock: 0,
            end_of_chapter: None,
            strikes_left: 0,
            pace: Duration::from_millis(500),
            kills: 0,
        };
        // The first database on a server takes longer than all others.
        world.order(Order::Tenant);
        world.come_right();
        world
    }

    pub(super) const fn kills(&self) -> u32 {
        self.kills
    }

    /// Has processes killed everywhere on these roads.
    pub(super) fn take(&mut self, roads: &[Road]) {
        let points =
            |road: &Road| road.killed_at().map(|_| POINTS.div_ceil(self.at_once(road))).sum::<usize>() + 1;
        self.strikes_left = u32::try_from(roads.iter().map(points).sum::<usize>()).unwrap();
        roads.iter().for_each(|road| self.take_one(road));
    }

    /// How many processes are killed at a time. Those who make the pool smaller all reach for the same database.
    fn at_once(&self, road: &Road) -> usize {
        if road.order == Order::NoPool { 1 } else { self.processes }
    }

    fn take_one(&mut self, road: &Road) {
        let (effects, end) = (road.effects(), road.effects().len() + 1);
        // Killed before it looks for more to do, the first one shows that this is all, and how long each effect takes.
        self.prepare(road, 1);
        let ordered = self.waiting.first().cloned();
        let mut met = self.strike(road, &[format!("{end}:kill")]).remove(0);
        met.sort_by_key(|met| met.number);
        assert!(met.pop().is_some_and(|last| last.number == end && last.name == "control"));
        let names: Vec<_> = met.iter().map(|met| &*met.name).collect();
        assert_eq!(names, effects, "what is done for {:?}", road.order);
        let done = |ordered: &Ordered| inspection::is_settled(&self.look(ordered));
        assert!(
            ordered.is_none_or(|ordered| done(&ordered)),
            "that is all that is done for {:?}",
            road.order
        );
        for number in road.killed_at() {
            let took = met[number - 1].micros.unwrap_or_default();
            let points: [String; POINTS] = [
                format!("{number}:kill"),
                format!("{number}:kill:{}", took / 4),
                format!("{number}:kill:{}", took * 3 / 4),
            ];
            for points in points.chunks(self.at_once(road)) {
                for met in self.strike(road, points) {
                    let end = met.iter().rfind(|met| met.micros.is_none()).expect("it met its end");
                    assert_eq!((end.number, &*end.name), (number, effects[number - 1]));
                }
            }
        }
    }

    /// Has processes killed at these points, each with an order to work on; what they met with.
    fn strike(&mut self, road: &Road, points: &[String]) -> Vec<Vec<Met>> {
        loop {
            self.begin_chapter(road, points.len());
            let begun = Instant::now();
            self.prepare(road, points.len());
            let met = self.kill_at(road, points);
            if self.rest_of_chapter() > Duration::ZERO {
                self.pace = (self.pace * 3 + begun.elapsed()) / 4;
                self.strikes_left = self.strikes_left.saturating_sub(1);
                self.kills += u32::try_from(met.len()).unwrap();
                return met;
            }
            // The machine is busy: they may have taken over what others had left, and died of that.
            self.come_right();
        }
    }

    /// Begins a new chapter, if the old one is over: there is too little time left in it, or too little in the pool.
    fn begin_chapter(&mut self, road: &Road, orders: usize) {
        let takes = self.pool > 0 && road.threads() == "provision";
        let is_over = self.end_of_chapter.is_some() && self.rest_of_chapter() < MARGIN;
        if is_over || (takes && self.stock < orders) {
            self.come_right();
        }
        if self.end_of_chapter.is_none() {
            let stock = if takes { self.stock / orders } else { usize::MAX };
            let strikes = self.strikes_left.min(u32::try_from(stock).unwrap_or(u32::MAX));
            let needed = self.pace * strikes + MARGIN;
            self.end_of_chapter = Some(Instant::now() + needed.min(CHAPTER));
        }
    }

    /// Has so many orders wait.
    fn prepare(&mut self, road: &Road, orders: usize) {
        while !matches!(road.order, Order::FullerPool | Order::NoPool) && self.waiting.len() < orders {
            self.order(road.order);
        }
    }

    /// Starts processes with these crash points, and waits until they are dead.
    fn kill_at(&mut self, road: &Road, points: &[String]) -> Vec<Vec<Met>> {
        let fault = road.fault().map_or_else(String::new, |number| format!("{number}:fail "));
        let pool = match road.order {
            Order::FullerPool => 1000,
            Order::NoPool => 0,
            _ => self.pool,
        };
        let lease = self.rest_of_chapter().max(SHORTEST_LEASE);
        let launch = |point: &String| {
            let settings = [
                ("TENANTRY_TEST_CRASH_POINT", format!("{} {fault}{point}", road.threads())),
                ("TENANTRY__PROVISIONING__LEASE", format!("{}ms", lease.as_millis())),
                ("TENANTRY__PROVISIONING__WORKERS", "1".to_owned()),
                ("TENANTRY__TENANT_DATABASES__POOL_SIZE", pool.to_string()),
            ];
            let settings = settings.each_ref().map(|(name, value)| (*name, &**value));
            self.installation.launch(&["--role", "worker"], &settings)
        };
        let mut processes: Vec<_> = points.iter().map(launch).collect();
        for process in &mut processes {
            assert_eq!(process.wait_for_exit().signal(), Some(SIGKILL), "{}", process.log());
        }
        self.stock = self.stock.saturating_sub(points.len());
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|ordered| !is_begun(&self.look(ordered)));
        self.waiting = waiting;
        processes.iter().map(|process| met_with(&process.log())).collect()
    }

    /// Lets processes loose that are not killed, until everything is as it should be; and sees to it that it is.
    pub(super) fn come_right(&mut self) {
        let t0 = Instant::now();
        let pool = self.pool.to_string();
        let settings =
            [("TENANTRY__TENANT_DATABASES__POOL_SIZE", &*pool), ("TENANTRY__PROVISIONING__WORKERS", "4")];
        let launch = |_| self.installation.launch(&["--role", "worker"], &settings);
        let mut workers: Vec<_> = (0..self.processes).map(launch).collect();
        workers.iter_mut().for_each(|worker| worker.wait_for_log("Started"));
        let t1 = Instant::now();
        // What the killed ones leased is theirs until then.
        thread::sleep(self.rest_of_chapter());
        let t2 = Instant::now();
        let end = Instant::now() + PATIENCE;
        wait_until(end, || inspection::unsettled(self));
        let t3 = Instant::now();
        inspection::give_names_back(self);
        wait_until(end, || inspection::complaints(self));
        let t4 = Instant::now();
        for worker in &mut workers {
            assert!(worker.terminate().success());
        }
        let t5 = Instant::now();
        inspection::inspect(self);
        self.waiting.clear();
        self.stock = self.pool;
        self.end_of_chapter = None;
        eprintln!(
            "CHAPTER {:?} {} tenants {} kills {}: start {:?} sleep {:?} settle {:?} doctor {:?} stop {:?} inspect {:?}",
            self.installation.backend(),
            self.processes,
            self.tenants.len(),
            self.kills,
            t1 - t0,
            t2 - t1,
            t3 - t2,
            t4 - t3,
            t5 - t4,
            t5.elapsed()
        );
    }

    fn rest_of_chapter(&self) -> Duration {
        self.end_of_chapter.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Has the pool hold so many databases from now on.
    pub(super) fn keep_ready(&mut self, databases: usize) {
        self.pool = databases;
        self.come_right();
    }

    /// The tenant as the operator sees it.
    pub(super) fn look(&self, ordered: &Ordered) -> Value {
        self.api.operator().get(&format!("/api/v1/tenants/{}", ordered.id)).expect(200).json()
    }

    /// All tenants, in few words each.
    pub(super) fn list(&self) -> Vec<Value> {
        let page = self.api.operator().get("/api/v1/tenants?limit=200").expect(200).json();
        assert!(page["nextCursor"].is_null(), "that is one page");
        page["items"].as_array().unwrap().clone()
    }

    fn order(&mut self, order: Order) {
        if order == Order::End {
            return self.order_end();
        }
        let slug = format!("acme-{}", self.tenants.len());
        let mut operator = self.api.operator();
        let path = format!("/api/v1/tenants/{slug}");
        if order == Order::TenantWithAdmin {
            let body = json!({ "name": "Acme", "subdomain": slug, "admin": { "email": EMAIL, "password": PASSWORD } });
            // The answer comes when the tenant is in service, which it may never be.
            let _connection = operator.request("POST", "/api/v1/tenants").json(&body).send_off();
            let begun = Instant::now();
            while operator.get(&path).status != 200 {
                assert!(begun.elapsed() < PATIENCE, "the order was not taken");
                thread::sleep(PULSE);
            }
        } else {
            let (_, token) = crate::steps::init(&self.api, &slug);
            if order == Order::TenantWithoutName {
                inspection::take_name(&self.installation, &slug);
            }
            crate::steps::confirm(&self.api, &token);
        }
        let id = operator.get(&path).expect(200).json()["id"].as_str().unwrap().to_owned();
        let ordered = Ordered { order, id, slug };
        self.tenants.push(ordered.clone());
        self.waiting.push(ordered);
    }

    /// Ends one of the tenants in service.
    fn order_end(&mut self) {
        let is_active =
            |tenant: &Ordered| tenant.order != Order::End && self.look(tenant)["status"] == "Active";
        let index = self.tenants.iter().position(is_active).expect("there are tenants in service");
        let path = format!("/api/v1/tenants/{}?immediately=true", self.tenants[index].id);
        self.api.operator().request("DELETE", &path).send().expect(202);
        self.tenants[index].order = Order::End;
        self.waiting.push(self.tenants[index].clone());
    }
}

/// Who the admins are, and how they sign in.
pub(super) const EMAIL: &str = "admin@acme.example";
pub(super) const PASSWORD: &str = "A fox in the kill matrix 7";

/// Waits until nothing is in the way any more.
fn wait_until(end: Instant, obstacles: impl Fn() -> Vec<String>) {
    loop {
        let obstacles = obstacles();
        if obstacles.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "it does not come right: {obstacles:#?}");
        thread::sleep(PULSE);
    }
}

/// Whether a worker has committed that it works on it.
fn is_begun(tenant: &Value) -> bool {
    tenant["status"] != "QUEUED" && tenant["state"]["begun"] != false
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
