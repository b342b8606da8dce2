//! What was stored before a migration is there after it.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use tenantry_domain::tenant::{Former, Lifecycle, RunKind, Tenant};
use tenantry_ports::StoreError;
use tenantry_testkit::sample;

use crate::db::Db;
use crate::migrations::{self, Schema, source};
use crate::testing;

/// Back to nothing, and to the first schema.
fn begin_anew(db: &mut Db) {
    let reverted = db.revert_all_migrations(source(Schema::Control, db)).unwrap().len();
    assert!(reverted > 1);
    assert_eq!(migrations::pending(db, Schema::Control).unwrap(), reverted);
    db.run_next_migration(source(Schema::Control, db)).unwrap();
}

/// What the first version wrote of a tenant.
fn insert(db: &mut Db, tenant: &Tenant, columns: &str, values: &str) {
    let Tenant { id, slug, name, plan, database, version, .. } = tenant;
    let (held, status) = (tenant.lifecycle.holds_slug(), tenant.lifecycle.status());
    let created_at = tenant.created_at.timestamp_micros();
    db.batch_execute(&format!(
        "INSERT INTO tenants (id, name, name_folded, slug, slug_held, plan, database_name, status, \
            version, created_at, updated_at, {columns}) \
         VALUES ('{id}', '{name}', '', '{slug}', {held}, '{plan}', '{database}', '{status}', \
            {version}, {created_at}, {created_at}, {values}); \
         INSERT INTO provisioning_runs (tenant_id, number, with_admin, direction, fence, closed) \
         VALUES ('{id}', 1, TRUE, 'Forward', 0, FALSE); \
         INSERT INTO provisioning_steps (tenant_id, run_number, position, kind, attempt, status) \
         VALUES ('{id}', 1, 0, 'Init', 1, 'Pending')"
    ))
    .unwrap();
}

#[test]
fn tenants_and_runs_of_the_first_version_are_kept() {
    for place in testing::both() {
        let since = sample::at(5);
        let micros = since.timestamp_micros();
        let tenant = |slug: &str, lifecycle| Tenant {
            lifecycle,
            contact_email: None,
            config: None,
            ..sample::tenant(slug)
        };
        let active = tenant("active", Lifecycle::Active { since });
        let failed = Lifecycle::Failed { at: since, reason: sample::step_error(), needs_attention: true };
        let mut failed = tenant("failed", failed);
        if let Lifecycle::Failed { reason, .. } = &mut failed.lifecycle {
            reason.message = "It failed".to_owned();
        }
        let leave = Lifecycle::Deprovisioning { since, drop_at: since, begun: false, former: Former::Active };
        let leaving = tenant("leaving", leave);
        {
            let mut connection = place.stores.control_database().connection().unwrap();
            let db = &mut connection.db;
            begin_anew(db);
            insert(db, &active, "since", &micros.to_string());
            insert(db, &leaving, "since", &micros.to_string());
            let failure = format!("{micros}, '{}', 'It failed', TRUE", sample::step_error().code);
            insert(db, &failed, "since, error_code, error_message, needs_attention", &failure);
            assert!(migrations::run(db, Schema::Control).unwrap() > 0);
        }
        let kept: Result<(), StoreError> = place.stores.control().read(|tx| {
            for tenant in [&active, &leaving, &failed] {
                assert_eq!(tx.tenants().get(tenant.id)?.as_ref(), Some(tenant));
                let runs = tx.runs().of_tenant(tenant.id)?;
                let kinds: Vec<_> = runs.iter().map(|run| (run.kind, run.journal.len())).collect();
                assert_eq!(kinds, [(RunKind::Provision { with_admin: true }, 1)]);
            }
            let outdated = tx.tenants().outdated("7", None, 9)?;
            assert_eq!(outdated.len(), 2, "nobody knows which schema they have");
            assert!(tx.pool().all()?.is_empty());
            Ok(())
        });
        kept.unwrap();
    }
}
