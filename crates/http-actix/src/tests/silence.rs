//! A tenant's rate while a process cannot tell the others that it is there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans, QuotaKind};
use tenantry_ports::{Access, ControlStore, ControlTx, StoreError, StoreResult, Verdict};
use tenantry_security::ValicoCheck;
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::access::Principal;

use super::World;

const RATE: u64 = 600;
const AT_ONCE: u32 = 60;

/// A control database that can be read, and written to only while nobody says otherwise.
struct ReadOnly {
    database: Arc<dyn ControlStore>,
    now: Arc<AtomicBool>,
}

impl ControlStore for ReadOnly {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        if access == Access::Write && self.now.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the disk is full".into()));
        }
        self.database.transact(access, body)
    }
}

/// Three processes that answer one tenant's requests.
struct Fleet {
    world: World,
    replicas: [World; 3],
    tenant: TenantId,
    read_only: Arc<AtomicBool>,
    /// How many requests were let in, second by second.
    let_in: Vec<u32>,
}

/// What becomes of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    Heard,
    /// It cannot write.
    Refused,
    /// It waits for an answer that does not come.
    Stuck,
}

use Beat::{Heard, Refused, Stuck};

impl Fleet {
    fn new() -> Self {
        let allowance = Allowance::new(|kind| match kind {
            QuotaKind::Requests => Limit::AtMost(RATE),
            _ => Limit::Unlimited,
        });
        let plans = Plans::new(|_| PlanLimits { allowance, burst: AT_ONCE });
        let mut test = TestPlatform::with(Policy { plans, ..Policy::default() }, Arc::new(ValicoCheck));
        let read_only = Arc::<AtomicBool>::default();
        let platform = Arc::get_mut(&mut test.platform).unwrap();
        let database = Arc::clone(&platform.control);
        platform.control = Arc::new(ReadOnly { database, now: Arc::clone(&read_only) });
        let world = World::on(test);
        let tenant = world.tenant("acme");
        let replicas = [world.replica(), world.replica(), world.replica()];
        let fleet = Self { world, replicas, tenant, read_only, let_in: Vec::new() };
        // Once that everybody is there, and once more that everybody knows.
        fleet.beat([Heard; 3]);
        fleet.beat([Heard; 3]);
        fleet
    }

    /// So many seconds of more requests than are taken, everywhere, while this becomes of the heartbeats.
    fn go_on(&mut self, seconds: u32, beats: [Beat; 3]) {
        for second in 0..seconds {
            if second % 3 == 0 {
                self.beat(beats);
            }
            let mut let_in = 0;
            for _ in 0..10 {
                self.world.test.clock.advance(TimeDelta::milliseconds(100));
                let_in += self.replicas.iter().map(|replica| self.ask(replica, 3)).sum::<u32>();
            }
            self.let_in.push(let_in);
        }
    }

    fn beat(&self, beats: [Beat; 3]) {
        for (replica, beat) in self.replicas.iter().zip(beats) {
            self.read_only.store(beat == Beat::Refused, Ordering::SeqCst);
            if beat != Beat::Stuck {
                replica.state.announce();
            }
        }
        self.read_only.store(false, Ordering::SeqCst);
    }

    /// Of so many requests, each of another caller, how many are let in.
    fn ask(&self, replica: &World, requests: usize) -> u32 {
        let caller =
            || Principal::Machine { tenant: self.tenant, key: sample::id(), scopes: BTreeSet::new() };
        (0..requests).filter(|_| replica.state.admits(&caller())).count() as u32
    }

    fn last_minute(&self) -> u32 {
        self.let_in[self.let_in.len() - 60..].iter().sum()
    }

    /// In no minute are there more than a tenth too many.
    #[track_caller]
    fn assert_kept(&self) {
        for (at, window) in self.let_in.windows(60).enumerate() {
            let (count, most) = (window.iter().sum::<u32>(), AT_ONCE + RATE as u32);
            assert!(count * 10 <= most * 11, "{count} of {most} in the minute from second {at}");
        }
    }
}

#[actix_web::test]
async fn whoever_the_others_do_not_hear_of_leaves_them_the_rate() {
    for silent in [Refused, Stuck] {
        let mut fleet = Fleet::new();
        fleet.go_on(63, [Heard; 3]);
        fleet.go_on(120, [silent, Heard, Heard]);
        let cut_off = fleet.last_minute();
        assert!((570..=660).contains(&cut_off), "{silent:?}: {cut_off} of {RATE}");
        fleet.go_on(90, [silent, silent, Heard]);
        fleet.go_on(120, [Heard; 3]);
        fleet.assert_kept();
        let again = fleet.last_minute();
        assert!((570..=630).contains(&again), "{silent:?}: {again} of {RATE}");
    }
}

#[actix_web::test]
async fn where_nobody_can_tell_anything_the_rate_stays_shared_as_it_was() {
    let mut fleet = Fleet::new();
    fleet.go_on(63, [Heard; 3]);
    fleet.go_on(120, [Refused; 3]);
    fleet.assert_kept();
    let shared = fleet.last_minute();
    assert!((570..=630).contains(&shared), "{shared} of {RATE}");
}
