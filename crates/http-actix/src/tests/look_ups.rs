//! What it costs to find out who calls: nothing where a credential is made up, and not much where it was seen before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix_web::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tenantry_ports::{Access, ControlStore, ControlTx, Scope, StoreResult, Verdict};
use tenantry_security::{Es256Tokens, MasterKey, SealingBox, SystemEntropy, ValicoCheck};
use tenantry_testkit::TestPlatform;
use tenantry_usecases::Policy;

use super::World;
use super::walls::{tenant_of, token};
use crate::{Doors, HttpSettings};

/// A control store that counts units of work.
struct Counted(Arc<dyn ControlStore>, AtomicUsize);

impl ControlStore for Counted {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.transact(access, body)
    }
}

const PATH: &str = "/api/v1/tenants/acme/settings";

/// A world with acme, and how often its control database was asked anything.
fn world() -> (World, Arc<Counted>) {
    let entropy = Arc::new(SystemEntropy);
    let sealing = SealingBox::new(&MasterKey::generate(&*entropy), entropy);
    let tokens = Arc::new(Es256Tokens::new(sealing));
    let mut test = TestPlatform::issuing(Policy::default(), Arc::new(ValicoCheck), tokens);
    let platform = Arc::get_mut(&mut test.platform).expect("nobody else has it yet");
    let control = Arc::new(Counted(Arc::clone(&platform.control), AtomicUsize::new(0)));
    platform.control = Arc::clone(&control) as _;
    let world = World::of(test, Doors::Open, HttpSettings::default());
    world.tenant_with_admin("acme");
    (world, control)
}

impl Counted {
    fn times(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

/// The token with this in the place of its header, payload or signature.
fn with_part(token: &str, number: usize, part: &str) -> String {
    let mut parts: Vec<_> = token.split('.').collect();
    parts[number] = part;
    parts.join(".")
}

#[actix_web::test]
async fn what_was_made_up_is_not_looked_for() {
    let (world, control) = world();
    let tenant = tenant_of(&world, "acme");
    let key = world.key(Some(tenant), &Scope::ALL);
    let token = token(&world, &key, &Scope::ALL);
    assert_eq!(world.get(PATH, &token).await.status, StatusCode::OK, "and the signing keys are known");
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "unknown" }).to_string();
    let admin = world.admin("acme").await;
    let before = control.times();
    for made_up in [
        "x".to_owned(),
        "tnt_live_0000000000000000000000000000000000000000".to_owned(),
        format!("{}x", &key[..key.len() - 1]),
        format!("{admin}x"),
        with_part(&token, 0, &URL_SAFE_NO_PAD.encode(header)),
        with_part(&token, 1, &URL_SAFE_NO_PAD.encode("{}")),
        with_part(&token, 2, &URL_SAFE_NO_PAD.encode([7; 64])),
    ] {
        for _ in 0..5 {
            world.get(PATH, &made_up).await.problem("invalid_token");
        }
        assert_eq!(control.times(), before, "{made_up}");
    }
}

/// Whoever was found, and the tenant they call for, are known for a moment: a busy caller costs at most a few look-ups in that
/// time, whatever they present.
#[actix_web::test]
async fn whoever_was_found_is_not_looked_for_at_every_request() {
    const LOOK_UPS: u128 = 4;
    let (world, control) = world();
    let tenant = tenant_of(&world, "acme");
    let key = world.key(Some(tenant), &Scope::ALL);
    let token = token(&world, &key, &Scope::ALL);
    for credential in [key, token, world.admin("acme").await, world.operator()] {
        let (before, begun) = (control.times(), Instant::now());
        for _ in 0..50 {
            assert_eq!(world.get(PATH, &credential).await.status, StatusCode::OK);
        }
        let moments = begun.elapsed().as_millis() / 900 + 1;
        let look_ups = (control.times() - before) as u128;
        assert!(look_ups <= LOOK_UPS * moments, "{look_ups} within {moments} moments");
    }
}
