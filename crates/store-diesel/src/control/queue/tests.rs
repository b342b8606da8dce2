use std::sync::Arc;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use tenantry_domain::tenant::StepKind;
use tenantry_ports::{ControlStore, StoreResult};
use tenantry_testkit::sample;

use super::*;
use crate::testing::{self, Place};

/// A tenant's run with some attempts behind it, which is due, and the admin that it has to create.
fn queued(store: &Arc<dyn ControlStore>, slug: &str, second: i64) -> Run {
    let tenant = sample::tenant(slug);
    let run = Run { journal: sample::journal(), ..sample::run(&tenant) };
    let queued: StoreResult<()> = store.write(|tx| {
        tx.tenants().insert(&tenant)?;
        tx.runs().insert(&run, Some(&sample::pending_admin()))?;
        tx.runs().enqueue(run.tenant, run.number, sample::at(second))
    });
    queued.unwrap();
    run
}

fn claimed(store: &Arc<dyn ControlStore>) -> Claim {
    let claim: StoreResult<_> =
        store.write(|tx| tx.runs().claim("worker-1", sample::at(9), TimeDelta::seconds(9)));
    claim.unwrap().unwrap()
}

fn record(store: &Arc<dyn ControlStore>, claim: &Claim) -> StoreResult<()> {
    store.write(|tx| tx.runs().record(&claim.lease, &claim.run, sample::at(90)))
}

fn meddle(place: &Place, sql: &str) {
    place.stores.control_database().connection().unwrap().db.batch_execute(sql).unwrap();
}

#[test]
fn a_journal_that_got_shorter_is_refused_and_nothing_of_it_kept() {
    for place in testing::both() {
        let store = place.stores.control();
        let run = queued(&store, "acme", 0);
        let mut claim = claimed(&store);
        let last = claim.run.journal.pop();
        claim.run.journal[0].log = Some("changed".to_owned());
        assert!(matches!(record(&store, &claim), Err(StoreError::Failed(_))));
        let stored = |tx: &mut dyn tenantry_ports::ControlTx| tx.runs().of_tenant(run.tenant);
        assert_eq!(store.read(stored).unwrap(), std::slice::from_ref(&run));

        claim.run.journal.extend(last);
        record(&store, &claim).unwrap();
        assert_eq!(store.read(stored).unwrap(), [claim.run]);
    }
}

#[test]
fn an_attempt_that_did_not_change_is_not_written_again() {
    let Some(place) = testing::postgres() else { return };
    let store = place.stores.control();
    queued(&store, "acme", 0);
    let mut claim = claimed(&store);
    // Where each attempt is kept, which is elsewhere once it was written again.
    let places = || {
        #[derive(QueryableByName)]
        struct Kept {
            #[diesel(sql_type = Text)]
            at: String,
        }
        let mut connection = place.stores.control_database().connection().unwrap();
        let Db::Postgres(postgres) = &mut connection.db else { panic!("no PostgreSQL") };
        let query = "SELECT ctid::text AS at FROM provisioning_steps ORDER BY position";
        let kept: Vec<Kept> = diesel::sql_query(query).load(postgres).unwrap();
        kept.into_iter().map(|kept| kept.at).collect::<Vec<_>>()
    };
    let before = places();
    record(&store, &claim).unwrap();
    assert_eq!(places(), before);

    claim.run.succeed(StepKind::ApplyMigrations, "done", sample::at(9));
    claim.run.begin(StepKind::CreateAdmin, sample::at(9));
    record(&store, &claim).unwrap();
    let after = places();
    let unchanged: Vec<_> = before.iter().zip(&after).map(|(before, after)| before == after).collect();
    let changed = claim.run.journal.iter().position(|record| record.kind == StepKind::ApplyMigrations);
    assert_eq!(unchanged.iter().position(|unchanged| !unchanged), changed);
    assert_eq!((unchanged.iter().filter(|same| !**same).count(), after.len()), (1, before.len() + 1));
}

#[test]
fn a_run_whose_admin_cannot_be_read_is_set_aside() {
    for place in testing::both() {
        let store = place.stores.control();
        let spoilt = queued(&store, "spoilt", 1);
        let sound = queued(&store, "sound", 2);
        let tenant = spoilt.tenant;
        meddle(&place, &format!("UPDATE provisioning_runs SET admin = '{{' WHERE tenant_id = '{tenant}'"));
        assert_eq!(claimed(&store).run, sound);
        let aside: StoreResult<_> = store.read(|tx| tx.runs().set_aside());
        let [(tenant, number, reason)] = &aside.unwrap()[..] else { panic!("one was set aside") };
        assert_eq!((*tenant, *number), (spoilt.tenant, spoilt.number));
        assert!(reason.contains("pending admin"), "{reason}");
    }
}
