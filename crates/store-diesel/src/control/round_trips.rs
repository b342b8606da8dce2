//! What a provisioning from the pool costs the control database.

use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::tenant::{ClusterName, DatabasePrefix, Lifecycle, Run, StepKind, Tenant};
use tenantry_ports::{Claim, ControlStore, ControlTx, StoreError, StoreResult, TakenDatabase};
use tenantry_testkit::sample;

use crate::testing;
use crate::testing::traffic::{Ear, Traffic};

/// Queues a tenant's run after so many attempts, and has a database ready for it.
fn queue(store: &Arc<dyn ControlStore>, slug: &str, attempts: i64) {
    let tenant = Tenant { lifecycle: Lifecycle::Queued { since: sample::at(0) }, ..sample::tenant(slug) };
    let mut run = sample::run(&tenant);
    for attempt in 1..=attempts {
        run.begin(StepKind::CreateDatabase, sample::at(attempt));
        fail(&mut run);
    }
    let pooled = sample::pooled_database(&DatabasePrefix::default());
    let queued: Result<(), StoreError> = store.write(|tx| {
        tx.tenants().insert(&tenant)?;
        tx.runs().insert(&run, None)?;
        tx.runs().enqueue(run.tenant, run.number, sample::at(0))?;
        let lease = tx.pool().insert(&pooled, sample::at(9))?;
        tx.pool().ready(lease, "7")
    });
    queued.unwrap();
}

fn fail(run: &mut Run) {
    let policy = tenantry_domain::tenant::RetryPolicy { max_attempts: u32::MAX, ..Default::default() };
    run.fail(StepKind::CreateDatabase, sample::step_error(), true, &policy, 0.5, sample::at(1));
}

/// Leaves so many events in the platform's log, last of all.
fn tell(tx: &mut dyn ControlTx, tenant: &Tenant, count: usize) -> StoreResult<()> {
    let head = tx.log().lock()?;
    tx.log().append(&sample::log_entries(tenant.id, head, count))
}

/// Claims a run and everything with it, as the use case does.
fn begin(store: &Arc<dyn ControlStore>) -> (Claim, TakenDatabase) {
    let begun: Result<_, StoreError> = store.write(|tx| {
        let mut claim = tx.runs().claim("worker-1", sample::at(1), TimeDelta::seconds(9))?.unwrap();
        claim.tenant.enter(Lifecycle::Provisioning { since: sample::at(1) }, sample::at(1));
        tx.tenants().update(&claim.tenant)?;
        let taken = tx.pool().take(&ClusterName::default(), "7", claim.tenant.id)?.unwrap();
        claim.run.begin(StepKind::CreateDatabase, sample::at(1));
        tx.runs().record(&claim.lease, &claim.run, sample::at(10))?;
        tell(tx, &claim.tenant, 1)?;
        Ok((claim, taken))
    });
    begun.unwrap()
}

/// Ends the run, as the use case does.
fn end(store: &Arc<dyn ControlStore>, (mut claim, taken): (Claim, TakenDatabase)) {
    for kind in [StepKind::CreateDatabase, StepKind::ApplyMigrations, StepKind::SeedData] {
        claim.run.begin(kind, sample::at(2));
        claim.run.succeed(kind, "done", sample::at(2));
    }
    claim.tenant.home.login = Some(taken.database.id);
    claim.tenant.enter(Lifecycle::Active { since: sample::at(2) }, sample::at(2));
    let ended: Result<(), StoreError> = store.write(|tx| {
        tx.runs().close(&claim.lease, &claim.run)?;
        tx.tenants().update(&claim.tenant)?;
        tx.tenants().note_schema(claim.tenant.id, &taken.schema)?;
        tx.pool().forget_taken(claim.tenant.id)?;
        tell(tx, &claim.tenant, 4)
    });
    ended.unwrap();
    let stored = store.read(|tx| tx.runs().of_tenant(claim.run.tenant)).unwrap();
    assert_eq!(stored, [claim.run]);
}

#[test]
fn a_provisioning_from_the_pool_takes_seventeen_round_trips_however_long_its_journal() {
    let Some(place) = testing::postgres() else { return };
    let store = place.stores.control();
    queue(&store, "first", 0);
    end(&store, begin(&store));
    let ear = Ear::on(place.stores.control_database());
    for attempts in [0, 1, 50] {
        queue(&store, &format!("after-{attempts}"), attempts);
        let mut begun = None;
        let Traffic { sent, prepared } = ear.hear(|| begun = Some(begin(&store)));
        // BEGIN, run, tenant and journal, tenant's update, pool, record, the log's head and its entries, COMMIT.
        assert_eq!((sent.len(), prepared), (7 + 2, Vec::new()), "{attempts}: {sent:#?}");
        let Traffic { sent, prepared } = ear.hear(|| end(&store, begun.take().unwrap()));
        // BEGIN, run and journal, tenant's update, schema, pool, the log's head and its entries, COMMIT; and the two that look what came of it.
        assert_eq!((sent.len(), prepared), (6 + 2 + 2, Vec::new()), "{attempts}: {sent:#?}");
    }
}

#[test]
fn looking_for_work_where_there_is_none_takes_three_round_trips() {
    let Some(place) = testing::postgres() else { return };
    let store = place.stores.control();
    let look = || {
        let claim = store.write(|tx| tx.runs().claim("worker-1", sample::at(1), TimeDelta::seconds(9)));
        assert_eq!(claim.unwrap(), None);
    };
    look();
    let Traffic { sent, prepared } = Ear::on(place.stores.control_database()).hear(look);
    assert_eq!((sent.len(), prepared.len()), (3, 0), "{sent:#?}");
}
