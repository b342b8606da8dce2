//! The list of sessions, and what an access token is worth once its session ended.

use serde_json::json;
use tenantry_domain::people::{Role, UserChange};
use tenantry_testkit::sample;
use tenantry_usecases::sign_in::{
    LoginError, Revocation, live_sessions, revoke_all_sessions, revoke_session,
};
use tenantry_usecases::users::{ChangeUser, change};

use crate::{ADMIN, Acme, PASSWORD};

#[test]
fn an_admin_signs_in_and_is_who_they_say() {
    let acme = Acme::new();
    let before = acme.log_length();
    let signed_in = acme.login("ADMIN@acme.example", PASSWORD).unwrap();
    let claims = acme.who(&signed_in.access_token).unwrap();
    assert_eq!((claims.user, claims.tenant, claims.role), (signed_in.user.id, acme.tenant.id, Role::Admin));
    assert_eq!(acme.who(&signed_in.refresh_token), None);
    for (email, password) in [(ADMIN, "wrong"), ("nobody@acme.example", PASSWORD)] {
        let refused = acme.login(email, password);
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{email}");
    }
    let expected = json!({ "sessionId": claims.session, "userId": signed_in.user.id });
    assert_eq!(acme.events(before), [("session.started".to_owned(), expected)]);
}

#[test]
fn sessions_are_listed_with_where_they_are_and_end_one_by_one() {
    let acme = Acme::new();
    let (one, two) = (acme.admin(), acme.admin());
    let platform = &acme.test.platform;
    let list = || live_sessions(platform, &acme.scope, one.user.id, None, 10).unwrap();
    let ids = [&two, &one].map(|signed_in| acme.who(&signed_in.access_token).unwrap().session);
    assert_eq!(list().iter().map(|session| session.id).collect::<Vec<_>>(), ids);
    assert_eq!(list()[0].device.user_agent.as_deref(), Some("browser"));
    let wish = Revocation {
        user: one.user.id,
        session: ids[1],
        actor: one.user.id.to_string(),
        trace: "t".to_owned(),
    };
    let other = Revocation { user: sample::id(), ..wish.clone() };
    assert!(!revoke_session(platform, &acme.scope, &other).unwrap(), "somebody else's");
    let unknown = Revocation { session: sample::id(), ..wish.clone() };
    assert!(!revoke_session(platform, &acme.scope, &unknown).unwrap());
    let before = acme.log_length();
    assert!(revoke_session(platform, &acme.scope, &wish).unwrap());
    assert!(revoke_session(platform, &acme.scope, &wish).unwrap(), "it is there, and over");
    assert_eq!((acme.who(&one.access_token), list().len()), (None, 1));
    assert!(acme.who(&two.access_token).is_some());
    let [(kind, data)] = &acme.events(before)[..] else { panic!("one event") };
    assert_eq!((kind.as_str(), &data["reason"]), ("session.revoked", &json!("revoked")));
    assert_eq!(data["by"], json!(one.user.id));
}

#[test]
fn all_sessions_of_a_user_end_together_and_one_event_says_so() {
    let acme = Acme::new();
    let (one, two, other) = (acme.admin(), acme.admin(), acme.person("john", Role::User));
    let end = |user| {
        let trace = "t".to_owned();
        revoke_all_sessions(&acme.test.platform, &acme.scope, user, "operator", trace).unwrap()
    };
    let before = acme.log_length();
    assert_eq!(end(sample::id()), None);
    assert_eq!(end(one.user.id), Some(2));
    assert_eq!(end(one.user.id), Some(0), "nothing to end, and nothing to note");
    let expected = json!({ "userId": one.user.id, "sessionsEnded": 2, "by": "operator" });
    assert_eq!(acme.events(before), [("user.signed_out".to_owned(), expected)]);
    assert_eq!([&one, &two].map(|ended| acme.who(&ended.access_token)), [None, None]);
    assert!(acme.who(&other.access_token).is_some());
}

#[test]
fn an_access_token_has_the_role_that_its_bearer_has_by_now() {
    let acme = Acme::new();
    let person = acme.person("john", Role::Admin);
    assert_eq!(acme.who(&person.access_token).unwrap().role, Role::Admin);
    let wish = ChangeUser {
        user: person.user.id,
        version: None,
        change: UserChange { role: Some(Role::User), ..UserChange::default() },
        actor: "operator".to_owned(),
        trace: "t".to_owned(),
    };
    change(&acme.test.platform, &acme.scope, wish).unwrap();
    assert_eq!(acme.who(&person.access_token).unwrap().role, Role::User);
}

#[test]
fn no_event_and_no_stored_attempt_names_an_address_or_a_secret() {
    let acme = Acme::new();
    let signed_in = acme.person("secretive", Role::User);
    let _ = acme.login("secretive@acme.example", "wrong");
    let all = format!("{:?} {:?}", acme.events(0), acme.test.world);
    let events = format!("{:?}", acme.events(0));
    assert!(!events.contains("secretive@"), "{events}");
    for secret in [signed_in.access_token, signed_in.refresh_token, signed_in.device_token] {
        assert!(!all.contains(secret.expose()), "{}", secret.expose());
    }
    assert!(!all.contains("SecurePassword123!"));
}
