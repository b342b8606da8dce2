//! A floor hangs on the secret key that it was signed with, until that is carried over to another.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_ports::{Digest as _, MacPurpose, Macs, StoreError, TenantScope, TenantStores as _};
use tenantry_testkit::{FakeDigest, TestPlatform, platform_over, sample};
use tenantry_usecases::audit::{What, verify};
use tenantry_usecases::master_keys::{MasterKeyNames, carry_over};
use tenantry_usecases::upkeep::turn;
use tenantry_usecases::{Log, Platform, Policy};

/// Keyed hashes under the first of these keys, which take those of the others, too.
struct Keyed(&'static [&'static str]);

impl Keyed {
    fn under(key: &str, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut text = format!("{key} {purpose:?} ").into_bytes();
        parts.iter().for_each(|part| text.extend_from_slice(part));
        FakeDigest.sha256(&text)
    }
}

impl Macs for Keyed {
    fn make(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        Self::under(self.0[0], purpose, parts)
    }

    fn check(&self, purpose: MacPurpose, parts: &[&[u8]], mac: &[u8; 32]) -> bool {
        self.0.iter().any(|key| Self::under(key, purpose, parts) == *mac)
    }
}

/// A process over the same databases that knows these secret keys.
fn knowing(test: &TestPlatform, keys: &'static [&'static str]) -> Platform {
    let master_keys = MasterKeyNames {
        current: keys[0].to_owned(),
        others: keys[1..].iter().map(ToString::to_string).collect(),
    };
    let policy = Policy { master_keys, event_retention: Some(TimeDelta::days(7)), ..Policy::default() };
    let (control, stores, databases) = (test.world.control(), test.world.stores(), test.world.databases());
    let clock = Arc::clone(&test.clock);
    Platform { macs: Arc::new(Keyed(keys)), clock, policy, ..platform_over(control, stores, databases) }
}

fn flaw(platform: &Platform, scope: &TenantScope) -> Option<What> {
    verify(platform, &Log::Tenant(scope.clone()), &[]).unwrap().flaw.map(|flaw| flaw.what)
}

#[test]
fn a_floor_is_signed_anew_when_the_secret_key_is_replaced() {
    let test = TestPlatform::new();
    let scope = support::active(&test);
    let written = test.world.stores().open(&scope).unwrap().write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        tx.log().append(&sample::log_entries(scope.tenant(), head, 5))
    });
    written.unwrap();
    test.clock.advance(TimeDelta::days(8));
    assert_eq!(turn(&knowing(&test, &["old"]), "worker").unwrap().unwrap().events, 4);
    let (both, alone) = (knowing(&test, &["new", "old"]), knowing(&test, &["new"]));
    assert_eq!((flaw(&both, &scope), flaw(&alone, &scope)), (None, Some(What::ForgedFloor)));
    carry_over(&both, |_| ()).unwrap();
    assert_eq!((flaw(&both, &scope), flaw(&alone, &scope)), (None, None));
}
