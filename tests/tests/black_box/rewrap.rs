//! `keys rewrap`, killed at each of its effects while servers answer, and run once more.

use std::process::{ExitStatus, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tenantry_tests::{Client, Installation, PATIENCE, Tenantry, for_each_backend};

use crate::steps::tenant;

const OLD: &str = "2HadrL6MPmfG7s6Qk3DPLDxken7Gf3Zo1glkxn2oYtA=";
const NEW: &str = "3ME5uW0WU+5oc5ih+Z9XkMpJI5QBO6f8s/ON7o5Vtxg=";
const TENANTS: [&str; 2] = ["one", "two"];
const SETTINGS: &[(&str, &str)] = &[
    ("TENANTRY_PUBLIC_URL", "https://api.example.com"),
    // So few that the tenants' databases are connected to again and again, with whatever password they have by then.
    ("TENANTRY__TENANT_DATABASES__CONNECTIONS_PER_TENANT", "1"),
    ("TENANTRY__TENANT_DATABASES__MAX_OPEN_CONNECTIONS", "1"),
];

/// The secret key in force, and the one before it.
fn keys<'a>(current: &'a str, previous: &'a str) -> [(&'static str, &'a str); 2] {
    [("TENANTRY_SECRET_KEY", current), ("TENANTRY_PREVIOUS_SECRET_KEYS", previous)]
}

fn run(installation: &Installation, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    installation.command().args(arguments).envs(environment.iter().copied()).output().unwrap()
}

/// Carries over to `current`, and is killed before effect `number`, if there are so many.
fn killed_at(number: usize, installation: &Installation, current: &str, previous: &str) -> ExitStatus {
    let crash = format!("main {number}:kill");
    let environment = [&keys(current, previous)[..], &[("TENANTRY_TEST_CRASH_POINT", &*crash)]].concat();
    run(installation, &["keys", "rewrap"], &environment).status
}

/// A machine of a tenant.
struct Machine {
    slug: &'static str,
    id: String,
    key: String,
}

impl Machine {
    fn of(tenantry: &Tenantry, slug: &'static str) -> Self {
        let wish = serde_json::json!({ "name": "Website", "scopes": ["accounts:read"] });
        let path = format!("/api/v1/tenants/{slug}/api-keys");
        let made = tenantry.operator().post(&path, &wish).expect(201).json();
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        Self { slug, id: text("id"), key: text("key") }
    }

    /// Gets a token, which takes a sealed key, and reads with it, which takes the login of the tenant's database. What went
    /// wrong, if anything did.
    fn call(&self, client: &mut Client) -> Option<String> {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", self.id, self.key);
        let request = client.request("POST", "/oauth/token");
        let answer = request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send();
        if answer.status != 200 {
            return Some(format!("token: {} {}", answer.status, answer.text()));
        }
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tenants/{}/accounts", self.slug);
        let answer = client.request("GET", &path).bearer(&token).send();
        (answer.status != 200).then(|| format!("{}: {} {}", self.slug, answer.status, answer.text()))
    }
}

/// Ends the load, also where a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Nothing is left that hangs on the other key: doctor says so, who has this one alone.
fn assert_carried_over(installation: &Installation, current: &str, after: usize) {
    let told = run(installation, &["doctor", "--json"], &keys(current, ""));
    let said: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert!(told.status.success(), "after the kill at effect {after}: {said}");
}

#[test]
fn killed_at_any_effect_it_is_finished_by_the_next_and_servers_answer_throughout() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, SETTINGS);
        // It knows both all the time, as every server has to while keys change.
        let tenantry = installation.start_with(&[], &keys(OLD, NEW));
        let machines = TENANTS.map(|slug| {
            tenant(&tenantry, slug);
            Machine::of(&tenantry, slug)
        });
        let (enough, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (kills, wrong) = thread::scope(|scope| {
            let load = || {
                let mut client = tenantry.client();
                let mut wrong = Vec::new();
                while !enough.load(Ordering::SeqCst) {
                    wrong.extend(machines.iter().filter_map(|machine| machine.call(&mut client)));
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                wrong
            };
            let load = scope.spawn(load);
            let stop = Stop(&enough);
            // There and back again, each time killed one effect later, until there are no more.
            let mut kills = 0;
            let last = loop {
                let at = kills + 1;
                let (current, previous) = if at % 2 == 1 { (NEW, OLD) } else { (OLD, NEW) };
                let status = killed_at(at, &installation, current, previous);
                if status.success() {
                    break current;
                }
                assert_eq!(status.code(), None, "it is killed, and does not fail");
                kills = at;
                let next = run(&installation, &["keys", "rewrap", "--json"], &keys(current, previous));
                assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
                assert_carried_over(&installation, current, at);
            };
            let (begin, before) = (Instant::now(), asked.load(Ordering::SeqCst));
            while asked.load(Ordering::SeqCst) < before + 3 {
                assert!(begin.elapsed() < PATIENCE && !load.is_finished(), "nobody is answered any more");
                thread::sleep(Duration::from_millis(10));
            }
            drop(stop);
            assert_carried_over(&installation, last, kills + 1);
            // The other key is not needed any more.
            let alone = installation.start_with(&[], &keys(last, ""));
            for machine in &machines {
                assert_eq!(machine.call(&mut alone.client()), None);
            }
            (kills, load.join().unwrap())
        });
        assert_eq!(wrong, [""; 0], "of {}", asked.into_inner());
        // A key, the beginning, a login of each tenant's database, and how far it has come, more than once.
        assert!(kills >= 6, "it was killed {kills} times");
    });
}
