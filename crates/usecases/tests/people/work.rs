//! That a sign-in fails costs the same work whatever is wrong with it, so that how long it takes tells nothing. Counted, and
//! not timed: `just bench-sign-in` looks at the times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_domain::people::{Role, UserChange};
use tenantry_ports::{
    Access, ControlStore, ControlTx, PasswordHasher, StoreResult, TenantScope, TenantStore, TenantStores,
    TenantTx, Verdict,
};
use tenantry_usecases::Platform;
use tenantry_usecases::sign_in::{LoginError, login, login_nowhere};
use tenantry_usecases::users::{ChangeUser, change};

use crate::support::typed;
use crate::{ADMIN, Acme};

/// What was done, whichever database it was done in.
#[derive(Debug, Default)]
struct Tally {
    hashes: AtomicUsize,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

/// How many hashes, units of work that read, and units of work that write, in this order.
type Work = [usize; 3];

impl Tally {
    fn so_far(&self) -> Work {
        [&self.hashes, &self.reads, &self.writes].map(|count| count.load(Ordering::SeqCst))
    }

    fn transaction(&self, access: Access) {
        let count = if access == Access::Read { &self.reads } else { &self.writes };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// A port, and the tally of what is done with it.
struct Counted<P: ?Sized>(Arc<P>, Arc<Tally>);

impl ControlStore for Counted<dyn ControlStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.1.transaction(access);
        self.0.transact(access, body)
    }
}

impl TenantStores for Counted<dyn TenantStores> {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        Ok(Arc::new(Counted(self.0.open(scope)?, Arc::clone(&self.1))))
    }
}

impl TenantStore for Counted<dyn TenantStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        self.1.transaction(access);
        self.0.transact(access, body)
    }
}

impl PasswordHasher for Counted<dyn PasswordHasher> {
    fn hash(&self, password: &str) -> String {
        self.1.hashes.fetch_add(1, Ordering::SeqCst);
        self.0.hash(password)
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        self.1.hashes.fetch_add(1, Ordering::SeqCst);
        self.0.verify(password, hash)
    }

    fn is_outdated(&self, hash: &str) -> bool {
        self.0.is_outdated(hash)
    }
}

/// The platform, and the tally of what is done on it from now on.
fn counted(platform: Platform) -> (Platform, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    let platform = Platform {
        control: Arc::new(Counted(Arc::clone(&platform.control), Arc::clone(&tally))),
        stores: Arc::new(Counted(Arc::clone(&platform.stores), Arc::clone(&tally))),
        passwords: Arc::new(Counted(Arc::clone(&platform.passwords), Arc::clone(&tally))),
        ..platform
    };
    (platform, tally)
}

#[test]
fn whatever_is_wrong_with_a_sign_in_the_same_work_is_done() {
    let acme = Acme::new();
    let disabled = acme.person("disabled", Role::User).user;
    let wish = ChangeUser {
        user: disabled.id,
        version: None,
        change: UserChange { active: Some(false), ..UserChange::default() },
        actor: "operator".to_owned(),
        trace: "t".to_owned(),
    };
    change(&acme.test.platform, &acme.scope, wish).unwrap();
    let Acme { test, scope, .. } = acme;
    let (platform, tally) = counted(Arc::into_inner(test.platform).unwrap());
    let at_acme =
        |email: &str, password: &str| login(&platform, &scope, &typed(email, password)).unwrap_err();
    let attempts: [(&str, &dyn Fn() -> LoginError); 4] = [
        ("a wrong password", &|| at_acme(ADMIN, "wrong")),
        ("an unknown user", &|| at_acme("nobody@acme.example", "wrong")),
        ("a disabled user", &|| at_acme("disabled@acme.example", "SecurePassword123!")),
        ("an unknown tenant", &|| login_nowhere(&platform, "nowhere", None, &typed(ADMIN, "wrong"))),
    ];
    let work = |attempt: &dyn Fn() -> LoginError| -> (Work, LoginError) {
        let before = tally.so_far();
        let error = attempt();
        let after = tally.so_far();
        (std::array::from_fn(|at| after[at] - before[at]), error)
    };
    // The first of a kind, one more, and those that come too early.
    for round in 0..12 {
        let done = attempts.map(|(what, attempt)| (what, work(attempt)));
        let expected = if round < 6 { [1, 1, 2] } else { [0, 1, 1] };
        for (what, (work, error)) in done {
            assert_eq!(work, expected, "{what}, attempt {round}: {error}");
            assert_eq!(matches!(error, LoginError::TooEarly(_)), round >= 6, "{what}, attempt {round}");
        }
    }
}
