//! What is looked at to find something among ten thousand tenants.

use std::fmt::Write as _;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_domain::tenant::{ClusterName, DatabasePrefix, Former, Lifecycle, Plan, Status, Tenant};
use tenantry_ports::{Access, ControlTx, StoreError, TenantFilter};
use tenantry_testkit::sample;

use super::tenant_row::TenantRow;
use crate::db::Db;
use crate::schema::tenants;
use crate::testing::plans::{explained, looked_at};
use crate::testing::traffic::Ear;
use crate::testing::{self, Place};
use crate::transaction::Transaction;

const TENANTS: usize = 10_000;
const PAGE: usize = 50;

/// What is asked often, or of many; and how many rows PostgreSQL may look at.
type Question = (&'static str, i64, fn(&mut dyn ControlTx) -> Result<usize, StoreError>);

const QUESTIONS: [Question; 16] = [
    ("who holds a slug", 1, |tx| Ok(holder(tx)?.into_iter().count())),
    ("the newest", 50, |tx| page(tx, TenantFilter::default(), None)),
    ("the newest, far back", 60, |tx| page(tx, TenantFilter::default(), Some(5_000))),
    ("of a common state", 50, |tx| page(tx, in_state(Status::Active), None)),
    ("of a rare state", 50, |tx| page(tx, in_state(Status::Failed), None)),
    ("of a rare state, far back", 60, |tx| page(tx, in_state(Status::Failed), Some(5_000))),
    ("of a state nobody is in", 0, |tx| page(tx, in_state(Status::Queued), None)),
    ("of a rare plan", 50, |tx| page(tx, with_plan(Plan::Enterprise), None)),
    ("of a plan nobody has", 0, |tx| page(tx, with_plan(Plan::Premium), None)),
    ("who is overdue", 0, |tx| Ok(tx.tenants().overdue(sample::at(0), PAGE)?.len())),
    ("who is outdated", 0, |tx| Ok(tx.tenants().outdated("7", None, PAGE)?.len())),
    // No tenant, and all of the pool.
    ("whether anything is outdated", 1_000, |tx| Ok(usize::from(tx.tenants().anything_outdated("7")?))),
    ("which run is due", 0, |tx| {
        let claim = tx.runs().claim("worker-1", sample::at(1), TimeDelta::seconds(9))?;
        Ok(claim.into_iter().count())
    }),
    ("which runs are open", 0, |tx| Ok(tx.runs().open()?.len())),
    ("which runs were set aside", 0, |tx| Ok(tx.runs().set_aside()?.len())),
    ("which database is ready", 5, |tx| {
        let taker = holder(tx)?.unwrap().id;
        Ok(tx.pool().take(&ClusterName::default(), "7", taker)?.into_iter().count())
    }),
];

fn holder(tx: &mut dyn ControlTx) -> Result<Option<Tenant>, StoreError> {
    tx.tenants().holding(&tenant(700).slug)
}

fn page(tx: &mut dyn ControlTx, filter: TenantFilter, after: Option<usize>) -> Result<usize, StoreError> {
    let after = after.map(|i| (tenant(i).created_at, sample::id()));
    Ok(tx.tenants().page(&filter, after, PAGE)?.len())
}

fn in_state(status: Status) -> TenantFilter {
    TenantFilter { status: Some(status), ..TenantFilter::default() }
}

fn with_plan(plan: Plan) -> TenantFilter {
    TenantFilter { plan: Some(plan), ..TenantFilter::default() }
}

/// Most tenants are in business; a few are in other states.
fn tenant(i: usize) -> Tenant {
    let at = sample::at(i64::try_from(i).unwrap());
    let leaving = Lifecycle::Deprovisioning {
        since: at,
        drop_at: at + TimeDelta::days(7),
        begun: i.is_multiple_of(2),
        former: Former::Active,
    };
    let failed = Lifecycle::Failed { at, reason: sample::step_error(), needs_attention: i.is_multiple_of(2) };
    let lifecycle = match i % 1_000 {
        0..10 => Lifecycle::announced(sample::uuid(), at + TimeDelta::days(1)),
        10..20 => leaving,
        20..40 => failed,
        40..60 => Lifecycle::Deleted { at },
        60..100 => Lifecycle::Suspended { since: at },
        _ => Lifecycle::Active { since: at },
    };
    let plan = if i.is_multiple_of(100) { Plan::Enterprise } else { Plan::Basic };
    Tenant { lifecycle, plan, created_at: at, updated_at: at, ..sample::tenant(&format!("tenant-{i:05}")) }
}

/// Ten thousand tenants with a noted schema and a closed run each, and a thousand databases that are ready.
fn crowd(place: &Place) {
    let rows: Vec<_> = (0..TENANTS).map(|i| TenantRow::new(&tenant(i)).unwrap()).collect();
    let mut connection = place.stores.control_database().connection().unwrap();
    let db = &mut connection.db;
    db.begin_write().unwrap();
    for rows in rows.chunks(1_000) {
        match db {
            Db::Sqlite(sqlite) => {
                for row in rows {
                    diesel::insert_into(tenants::table).values(row).execute(sqlite).unwrap();
                }
            }
            Db::Postgres(postgres) => {
                diesel::insert_into(tenants::table).values(rows).execute(postgres).unwrap();
            }
        }
    }
    db.batch_execute(
        "UPDATE tenants SET schema_version = '7'; \
         INSERT INTO provisioning_runs (tenant_id, number, with_admin, direction, fence, closed) \
         SELECT id, 1, FALSE, 'Forward', 1, TRUE FROM tenants",
    )
    .unwrap();
    let mut tx = Transaction::new(Access::Write, &mut connection);
    for second in 0..1_000 {
        let database = sample::pooled_database(&DatabasePrefix::default());
        let database = tenantry_ports::PooledDatabase { created_at: sample::at(second), ..database };
        let lease = tx.pool().insert(&database, sample::at(9)).unwrap();
        tx.pool().ready(lease, "7").unwrap();
    }
    connection.db.commit().unwrap();
    if let Db::Postgres(postgres) = &mut connection.db {
        // What the server does by itself after a while.
        postgres.batch_execute("VACUUM ANALYZE").unwrap();
    }
}

#[test]
fn postgres_looks_at_hardly_more_than_it_answers() {
    let Some(place) = testing::postgres() else { return };
    crowd(&place);
    let mut connection = place.stores.control_database().connection().unwrap();
    let mut wasteful = String::new();
    for (what, most, ask) in QUESTIONS {
        connection.db.begin_write().unwrap();
        let mut tx = Transaction::new(Access::Write, &mut connection);
        let before = tx.read(looked_at).unwrap();
        let found = ask(&mut tx).unwrap();
        let looked = tx.read(looked_at).unwrap() - before;
        connection.db.roll_back();
        if looked > most {
            let _ = writeln!(wasteful, "{what}: {looked} looked at, {found} found");
        }
    }
    assert!(wasteful.is_empty(), "{wasteful}");
}

/// Whether a line of a plan goes through more than what is asked for: through all rows of a table, by an index or not. In the
/// index of open runs there are none but those; and what was found is gone through.
fn is_search(line: &str, statement: &str) -> bool {
    let page_of_all = line == "SCAN tenants USING INDEX tenants_newest" && !statement.contains(" WHERE ");
    let of_few =
        ["SCAN outdated", "SCAN CONSTANT ROW", "SCAN provisioning_runs USING INDEX provisioning_runs_open"];
    !line.starts_with("SCAN") || page_of_all || of_few.contains(&line)
}

#[test]
fn sqlite_searches_by_index_and_pages_need_no_sorting() {
    let place = testing::sqlite();
    crowd(&place);
    let ear = Ear::on(place.stores.control_database());
    for (what, _, ask) in QUESTIONS {
        let asked = ear.hear(|| {
            place.stores.control().write(ask).unwrap();
        });
        let statements = asked.sent.iter().filter_map(|sent| sent.split(" -- binds").next());
        let questions: Vec<_> = statements.filter(|sent| sent.starts_with("SELECT")).collect();
        assert!(!questions.is_empty(), "{what}: {asked:#?}");
        for statement in questions {
            let mut connection = place.stores.control_database().connection().unwrap();
            let plan = explained(&mut connection.db, statement);
            assert!(
                !plan.is_empty() && plan.iter().all(|line| is_search(line, statement)),
                "{what}: {plan:#?}"
            );
            let in_order = !plan.iter().any(|line| line.starts_with("USE TEMP B-TREE"));
            assert!(in_order || !statement.contains("`created_at` DESC"), "{what}: {plan:#?}");
        }
    }
}

#[test]
fn sqlite_counts_by_index_alone() {
    let place = testing::sqlite();
    let ear = Ear::on(place.stores.control_database());
    let counts = ear.hear(|| {
        let counted: Result<_, StoreError> =
            place.stores.control().read(|tx| Ok((tx.tenants().census()?, tx.tenants().per_cluster()?)));
        counted.unwrap();
    });
    let mut connection = place.stores.control_database().connection().unwrap();
    let statements = counts.sent.iter().filter(|sent| sent.starts_with("SELECT"));
    let plans: Vec<_> = statements
        .map(|sent| explained(&mut connection.db, sent.split(" -- binds").next().unwrap()))
        .collect();
    let [census, servers] = &plans[..] else { panic!("{plans:?}") };
    assert_eq!(census[..], ["SCAN tenants USING COVERING INDEX tenants_by_status"]);
    assert_eq!(servers[..], ["SCAN tenants USING COVERING INDEX tenants_per_cluster"]);
}
