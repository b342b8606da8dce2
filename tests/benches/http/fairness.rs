//! Whether a tenant notices that another one sends fifty times what it may.

use std::io;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tenantry_tests::{Backend, Installation, Tenantry};

use crate::get;
use crate::load::{self, Figures};

/// What each tenant may send per second in the long run, and at once.
const RATE: u32 = 100;
/// How often the quiet one does.
const QUIET: u32 = 50;
/// By how much the noisy one exceeds what it may.
const TIMES: u32 = 50;
/// Over so many connections.
const CONNECTIONS: u32 = 16;

/// How long a quiet tenant's requests take alone, and beside a noisy one.
pub(crate) fn measure(backend: Backend, duration: Duration) -> io::Result<(Figures, Figures)> {
    let (per_minute, burst) = ((RATE * 60).to_string(), RATE.to_string());
    let installation = Installation::with(
        backend,
        &[
            ("TENANTRY__LIMITS__PLANS__BASIC__REQUESTS_PER_MINUTE", &per_minute),
            ("TENANTRY__LIMITS__PLANS__BASIC__BURST", &burst),
            ("TENANTRY__LIMITS__CALLER_PERCENT", "100"),
        ],
    );
    let tenantry = installation.start();
    load::provision_tenants(&tenantry, "fair", 1, 2)?;
    let [noisy, quiet] = [0, 1].map(|number| listing(&tenantry, &format!("fair-{number}")));
    let of_quiet = |_| quiet.clone();
    let quietly = || load::paced(tenantry.address(), 1, QUIET, duration, &[200], &of_quiet);
    let alone = quietly()?;
    let of_noisy = |_| noisy.clone();
    let beside = thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            load::paced(tenantry.address(), CONNECTIONS, RATE * TIMES, duration, &[200, 429, 503], &of_noisy)
        });
        let beside = quietly();
        crowd.join().map_err(|_| io::Error::other("a load thread panicked"))??;
        beside
    })?;
    Ok((alone, beside))
}

/// A request that goes to the storage threads every time, without being gathered with others.
fn listing(tenantry: &Tenantry, slug: &str) -> Vec<u8> {
    let key = json!({ "name": "bench", "scopes": ["configs:read"] });
    let key = tenantry.operator().post(&format!("/api/v1/tenants/{slug}/api-keys"), &key).expect(201).json();
    get(&format!("/api/v1/tenants/{slug}/configs"), key["key"].as_str().unwrap_or_default())
}
