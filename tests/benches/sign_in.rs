//! Whether the time that a vain sign-in takes tells what was wrong with it: attempts of several kinds, in turns, and how
//! likely their times would differ like this if they did not depend on the kind (Mann and Whitney's p). A small p, again and
//! again, is a way to find out who is registered; one below 0.01 in a hundred is chance.
//!
//! `cargo bench -p tenantry-tests --bench sign_in -- [attempts]`: so many of each kind, 300 by default. Beyond a thousand
//! failures in all the server has everybody take turns, ten a second; then it takes as long as that.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_testkit::postgres::{self, Server};
use tenantry_tests::{Backend, Client, Installation, mann_whitney};

/// What is wrong, and a sign-in of that kind.
type Kind = (&'static str, fn(usize) -> (&'static str, String));

const KINDS: [Kind; 3] = [
    ("wrong password", |number| ("acme", format!("user{number}@acme.example"))),
    ("unknown user", |number| ("acme", format!("nobody{number}@acme.example"))),
    ("unknown tenant", |number| ("nowhere", format!("user{number}@acme.example"))),
];

fn main() {
    let arguments = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let attempts = arguments.unwrap_or(300);
    println!("| on | what is wrong | median | p, beside a wrong password |");
    println!("|---|---|---:|---:|");
    measure(Backend::Sqlite, attempts);
    match postgres::durable() {
        None => println!("\nPostgreSQL is not installed: only SQLite was measured."),
        Some(server) => {
            let server: &'static Server = Box::leak(Box::new(server));
            measure(Backend::Postgres(server), attempts);
        }
    }
}

fn measure(backend: Backend, attempts: usize) {
    // As cheap as can be: so whatever else takes time shows the more.
    let settings = [("TENANTRY__AUTH__ARGON2_MEMORY", "8MiB"), ("TENANTRY__AUTH__ARGON2_PASSES", "1")];
    let tenantry = Installation::with(backend, &settings).start();
    let mut operator = tenantry.operator();
    let admin = json!({ "email": "admin@acme.example", "password": "a long pass phrase" });
    let wish = json!({ "name": "Acme Corp", "subdomain": "acme", "admin": admin });
    operator.post("/api/v1/tenants", &wish).expect(201);
    for number in 0..attempts {
        let user = json!({ "email": format!("user{number}@acme.example"), "password": "a long pass phrase" });
        operator.post("/api/v1/acme/auth/register", &user).expect(201);
    }
    let mut client = tenantry.client();
    let mut times = KINDS.map(|_| Vec::with_capacity(attempts));
    for number in 0..attempts {
        // Each kind is first as often as the others.
        for turn in 0..KINDS.len() {
            let kind = (number + turn) % KINDS.len();
            times[kind].push(time(&mut client, KINDS[kind].1(number)).as_secs_f64());
        }
    }
    let beside = times[0].clone();
    for ((what, _), mut times) in KINDS.into_iter().zip(times) {
        let p = mann_whitney(&beside, &times);
        times.sort_unstable_by(f64::total_cmp);
        let median = Duration::from_secs_f64(times.get(attempts / 2).copied().unwrap_or_default());
        println!("| {backend} | {what} | {median:.1?} | {p:.3} |");
    }
}

/// How long the server takes to refuse.
fn time(client: &mut Client, (tenant, email): (&str, String)) -> Duration {
    let path = format!("/api/v1/{tenant}/auth/login");
    let body = json!({ "email": email, "password": "not the pass phrase" });
    loop {
        let begin = Instant::now();
        let answer = client.post(&path, &body);
        let taken = begin.elapsed();
        match answer.status {
            429 => thread::sleep(Duration::from_millis(20)),
            _ => {
                answer.expect(401);
                return taken;
            }
        }
    }
}
