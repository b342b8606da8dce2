use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tenantry_tests::{Backend, Installation, Tenantry};

use super::inspection;
use super::orders::Ordered;
use super::roads::Order;

/// How long everything may take to come right, on a busy machine; only what is broken takes this long.
const PATIENCE: Duration = Duration::from_secs(180);
const PULSE: Duration = Duration::from_millis(100);

/// An installation whose workers are killed.
///
/// They hold what they work on for as long as settings allow, so that each is killed over an order of its own. Whoever
/// puts right what they left lives in a later era, when all of that has expired, and nobody has to wait for it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) installation: Installation,
    /// Takes the orders, and lives on.
    pub(super) api: Tenantry,
    /// How many workers are there at a time.
    pub(super) processes: usize,
    /// How many databases the pool is to have.
    pub(super) pool: usize,
    pub(super) tenants: Vec<Ordered>,
    /// Those that nobody has begun with.
    pub(super) waiting: Vec<Ordered>,
    /// So many of the pool's databases have not been taken since everything came right.
    pub(super) stock: usize,
    /// How many processes were killed.
    pub(super) kills: u32,
    /// How often everything came right.
    eras: u32,
}

/// Longer than any lease; in seconds.
const ERA: u32 = 3600;

impl World {
    pub(super) fn open(backend: Backend, processes: usize) -> Self {
        // However busy the machine is.
        let patient = [
            ("TENANTRY__DATABASE__CONNECT_TIMEOUT", "30s"),
            ("TENANTRY__DATABASE__LOCK_TIMEOUT", "30s"),
            ("TENANTRY__DATABASE__STATEMENT_TIMEOUT", "60s"),
        ];
        let installation = Installation::with(backend, &patient);
        let mut world = Self {
            api: installation.start_with(&["--role", "api"], &[]),
            installation,
            processes,
            pool: 0,
            tenants: Vec::new(),
            waiting: Vec::new(),
            stock: 0,
            kills: 0,
            eras: 0,
        };
        // The first database on a server takes longer than all others.
        world.order(Order::Tenant);
        world.come_right();
        world
    }

    /// What tells a process which era it lives in.
    pub(super) fn era(&self) -> (&'static str, String) {
        ("TENANTRY_TEST_CLOCK_AHEAD", (self.eras * ERA).to_string())
    }

    /// Has the pool hold so many databases from now on.
    pub(super) fn keep_ready(&mut self, databases: usize) {
        self.pool = databases;
        self.come_right();
    }

    /// Lets processes loose that are not killed, until everything is as it should be; and sees to it that it is.
    pub(super) fn come_right(&mut self) {
        let mut workers = self.let_loose();
        wait_until(|| inspection::unsettled(self));
        inspection::give_names_back(self);
        wait_until(|| inspection::complaints(self));
        for worker in &mut workers {
            assert!(worker.terminate().success());
        }
        inspection::inspect(self);
        self.waiting.clear();
        self.stock = self.pool;
    }

    /// Begins a new era with processes that are not killed.
    pub(super) fn let_loose(&mut self) -> Vec<Tenantry> {
        self.eras += 1;
        let (variable, seconds) = self.era();
        let settings = [
            (variable, &*seconds),
            ("TENANTRY__TENANT_DATABASES__POOL_SIZE", &self.pool.to_string()),
            ("TENANTRY__PROVISIONING__WORKERS", "4"),
        ];
        let launch = |_| self.installation.launch(&["--role", "worker"], &settings);
        let mut workers: Vec<_> = (0..self.processes).map(launch).collect();
        workers.iter_mut().for_each(|worker| worker.wait_for_log("Started"));
        workers
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
}

/// Waits until nothing is in the way any more.
pub(super) fn wait_until(obstacles: impl Fn() -> Vec<String>) {
    let begun = Instant::now();
    loop {
        let obstacles = obstacles();
        if obstacles.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not come right: {obstacles:#?}");
        thread::sleep(PULSE);
    }
}
