//! Refresh tokens: exchanged once, given again for a moment, and the end of the session when they come a second time.

use std::collections::BTreeSet;
use std::sync::Barrier;

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::people::{Device, UserChange};
use tenantry_ports::{Clock as _, Digest as _, Secret, StoreError};
use tenantry_testkit::FakeDigest;
use tenantry_usecases::Policy;
use tenantry_usecases::sign_in::{RefreshError, Refreshed, live_sessions, logout, refresh};
use tenantry_usecases::tenants::{self, Target, TenantRef};
use tenantry_usecases::users::{ChangeUser, change};

use crate::Acme;

impl Acme {
    fn refresh(&self, token: &Secret) -> Result<Refreshed, RefreshError> {
        let device = Device::new(Some("later"), None);
        refresh(&self.test.platform, Some(&self.tenant), token.expose(), device, "refresh")
    }

    fn advance(&self, by: TimeDelta) {
        self.test.clock.advance(by);
    }
}

fn assert_invalid(outcome: Result<Refreshed, RefreshError>) {
    assert!(matches!(outcome, Err(RefreshError::Invalid)), "{outcome:?}");
}

#[test]
fn a_token_is_exchanged_for_the_next_and_the_session_goes_on() {
    let acme = Acme::new();
    let first = acme.admin();
    let session = acme.who(&first.access_token).unwrap().session;
    let mut token = first.refresh_token;
    let mut seen = BTreeSet::from([token.expose().to_owned()]);
    for _ in 0..5 {
        acme.advance(TimeDelta::days(1));
        let next = acme.refresh(&token).unwrap();
        let claims = acme.who(&next.access_token).unwrap();
        assert_eq!((claims.user, claims.session), (first.user.id, session));
        assert_eq!(next.refresh_expires_at, acme.test.clock.now() + TimeDelta::days(30));
        assert_eq!(next.access_expires_at, acme.test.clock.now() + TimeDelta::minutes(10));
        token = next.refresh_token;
        assert!(seen.insert(token.expose().to_owned()), "every token is new");
    }
    let [listed] = &live_sessions(&acme.test.platform, &acme.scope, first.user.id, None, 10).unwrap()[..]
    else {
        panic!("one session")
    };
    assert_eq!((listed.generation, listed.refreshed_at), (6, acme.test.clock.now()));
    assert_eq!(listed.device.user_agent.as_deref(), Some("later"));
}

#[test]
fn only_hashes_of_tokens_are_stored() {
    let acme = Acme::new();
    let first = acme.admin();
    let stored = || {
        let id = acme.who(&first.access_token).unwrap().session;
        let store = acme.test.platform.stores.open(&acme.scope).unwrap();
        store.read::<_, StoreError>(|tx| tx.sessions().get(id)).unwrap().unwrap()
    };
    assert_eq!(stored().token_hash, FakeDigest.sha256(first.refresh_token.expose().as_bytes()));
    let next = acme.refresh(&first.refresh_token).unwrap();
    assert_eq!(stored().token_hash, FakeDigest.sha256(next.refresh_token.expose().as_bytes()));
    assert_eq!((stored().user, stored().expires_at), (first.user.id, next.refresh_expires_at));
}

#[test]
fn a_lost_answer_signs_nobody_out() {
    let acme = Acme::new();
    let first = acme.admin().refresh_token;
    let lost = acme.refresh(&first).unwrap();
    acme.advance(TimeDelta::milliseconds(9_999));
    let again = acme.refresh(&first).unwrap();
    assert_eq!(again.refresh_token, lost.refresh_token, "the very same");
    assert_eq!(again.refresh_expires_at, lost.refresh_expires_at);
    assert!(acme.who(&again.access_token).is_some());
    let next = acme.refresh(&again.refresh_token).unwrap();
    assert!(acme.refresh(&next.refresh_token).is_ok());
}

/// Whoever comes second, the thief or the one who was robbed: both are out.
#[test]
fn a_token_that_comes_a_second_time_ends_the_session() {
    for replays in [1, 2] {
        let acme = Acme::new();
        let first = acme.admin();
        let mut newest = acme.refresh(&first.refresh_token).unwrap();
        if replays == 2 {
            newest = acme.refresh(&newest.refresh_token).unwrap();
        } else {
            acme.advance(TimeDelta::seconds(10));
        }
        let before = acme.log_length();
        let session = acme.who(&newest.access_token).unwrap().session;
        let reused = acme.refresh(&first.refresh_token);
        assert!(matches!(reused, Err(RefreshError::Reused(ended)) if ended == session), "{reused:?}");
        assert_eq!(acme.who(&newest.access_token), None);
        assert_invalid(acme.refresh(&newest.refresh_token));
        assert_invalid(acme.refresh(&first.refresh_token));
        let [(kind, data)] = &acme.events(before)[..] else { panic!("one event, however often it comes") };
        assert_eq!((kind.as_str(), &data["userId"]), ("session.reuse_detected", &json!(first.user.id)));
    }
}

#[test]
fn without_a_grace_the_first_repetition_ends_the_session() {
    let acme = Acme::with(Policy { refresh_grace: TimeDelta::zero(), ..Policy::default() });
    let first = acme.admin().refresh_token;
    let next = acme.refresh(&first).unwrap();
    assert!(matches!(acme.refresh(&first), Err(RefreshError::Reused(_))));
    assert_invalid(acme.refresh(&next.refresh_token));
}

#[test]
fn twenty_at_once_get_one_successor() {
    let acme = Acme::new();
    let first = acme.admin().refresh_token;
    let start = Barrier::new(20);
    let successors: BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    acme.refresh(&first).unwrap().refresh_token.expose().to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(successors.len(), 1);
}

#[test]
fn a_session_ends_unused_after_a_while_and_used_at_its_end() {
    let acme = Acme::new();
    let unused = acme.admin().refresh_token;
    let mut used = acme.admin().refresh_token;
    for _ in 0..6 {
        acme.advance(TimeDelta::days(15) - TimeDelta::seconds(1));
        used = acme.refresh(&used).unwrap().refresh_token;
    }
    assert_invalid(acme.refresh(&unused));
    let last = acme.refresh(&used).unwrap();
    assert_eq!(last.refresh_expires_at - acme.test.clock.now(), TimeDelta::seconds(6));
    assert_eq!(last.access_expires_at, last.refresh_expires_at, "no access beyond the session");
    acme.advance(TimeDelta::seconds(6));
    assert_invalid(acme.refresh(&last.refresh_token));
}

#[test]
fn what_is_no_token_of_this_tenant_is_refused() {
    let acme = Acme::new();
    let token = acme.admin().refresh_token.expose().to_owned();
    for wrong in ["", "x", &token[1..], &token.replacen('0', "1", 1), "é"] {
        assert_invalid(acme.refresh(&Secret::new(wrong)));
    }
    let device = Device::default;
    assert_invalid(refresh(&acme.test.platform, None, &token, device(), "t"));
    let other = tenantry_testkit::sample::tenant("other");
    assert_invalid(refresh(&acme.test.platform, Some(&other), &token, device(), "t"));
    assert!(acme.refresh(&Secret::new(token)).is_ok(), "none of this did any harm");
}

#[test]
fn whoever_is_disabled_or_whose_tenant_is_out_of_service_gets_no_token() {
    let acme = Acme::new();
    let user = acme.person("john", tenantry_domain::people::Role::User);
    let change_to = |active| ChangeUser {
        user: user.user.id,
        version: None,
        change: UserChange { active: Some(active), ..UserChange::default() },
        actor: "operator".to_owned(),
        trace: "t".to_owned(),
    };
    change(&acme.test.platform, &acme.scope, change_to(false)).unwrap();
    assert_eq!(acme.who(&user.access_token), None);
    assert_invalid(acme.refresh(&user.refresh_token));
    change(&acme.test.platform, &acme.scope, change_to(true)).unwrap();
    assert_invalid(acme.refresh(&user.refresh_token));

    let admin = acme.admin().refresh_token;
    let target = Target { tenant: acme.tenant.id, version: None, by: "operator" };
    tenants::suspend(&acme.test.platform, target).unwrap();
    let tenant = || tenants::find(&acme.test.platform, &TenantRef::Id(acme.tenant.id)).unwrap();
    let attempt = |token: &str| {
        refresh(&acme.test.platform, tenant().as_ref(), token, Device::default(), "t").unwrap_err()
    };
    assert!(matches!(attempt(admin.expose()), RefreshError::Suspended));
    assert!(matches!(attempt("nonsense"), RefreshError::Invalid));
    tenants::deprovision(&acme.test.platform, target, None).unwrap();
    assert!(matches!(attempt(admin.expose()), RefreshError::Leaving));
}

#[test]
fn signing_out_ends_the_session_once_and_never_fails() {
    let acme = Acme::new();
    let first = acme.admin();
    let next = acme.refresh(&first.refresh_token).unwrap();
    let before = acme.log_length();
    let out = |token: &str| logout(&acme.test.platform, Some(&acme.tenant), token, "logout").unwrap();
    assert!(out("nonsense").is_none());
    let ended = out(next.refresh_token.expose()).unwrap();
    assert_eq!(ended.user, first.user.id);
    assert!(out(next.refresh_token.expose()).is_none(), "there is nothing left to end");
    assert_eq!(acme.who(&next.access_token), None);
    assert_invalid(acme.refresh(&next.refresh_token));
    let [(kind, data)] = &acme.events(before)[..] else { panic!("one event") };
    assert_eq!((kind.as_str(), &data["reason"]), ("session.revoked", &json!("signed_out")));
    assert!(logout(&acme.test.platform, None, next.refresh_token.expose(), "t").unwrap().is_none());
}
