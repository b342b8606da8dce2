-- Twin of ../../postgres. What was added has a default, so that the version before goes on writing beside this one.

-- Where the database is, and as whom it is entered.
ALTER TABLE tenants ADD COLUMN cluster TEXT NOT NULL DEFAULT 'main';
ALTER TABLE tenants ADD COLUMN login TEXT; -- none: the tenant's own
ALTER TABLE tenants ADD COLUMN schema_version TEXT; -- as far as anybody noted
-- Facts of Deprovisioning; those of a former failure are error_code, error_message and needs_attention.
ALTER TABLE tenants ADD COLUMN drop_at INTEGER;
ALTER TABLE tenants ADD COLUMN begun INTEGER;
ALTER TABLE tenants ADD COLUMN former TEXT;
UPDATE tenants SET drop_at = since, begun = FALSE, former = 'Active' WHERE status = 'Deprovisioning';

-- Lists are newest first, whatever they are limited to.
CREATE INDEX tenants_by_status ON tenants (status, created_at, id);
CREATE INDEX tenants_by_plan ON tenants (plan, created_at, id);
-- Only who waits for a confirmation has a time to expire.
CREATE INDEX tenants_overdue ON tenants (expires_at, id) WHERE expires_at IS NOT NULL;
CREATE INDEX tenants_per_cluster ON tenants (cluster, slug_held);
-- Of the tenants whose databases are looked after. The query has this very condition, which is put as CASE so that it is
-- one term to SQLite too, which would rather look for each part of an OR.
CREATE INDEX tenants_outdated ON tenants (schema_version, id) WHERE CASE status
    WHEN 'Active' THEN TRUE
    WHEN 'Suspended' THEN TRUE
    WHEN 'Deprovisioning' THEN NOT begun AND former IN ('Active', 'Suspended')
    ELSE FALSE END;

ALTER TABLE provisioning_runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'Provision';
ALTER TABLE provisioning_runs ADD COLUMN set_aside TEXT; -- why nobody could work on it
-- The whole order of the queue, so that the first one is found without sorting.
DROP INDEX provisioning_runs_due;
CREATE INDEX provisioning_runs_due ON provisioning_runs (due_at, tenant_id, number) WHERE due_at IS NOT NULL;
CREATE INDEX provisioning_runs_open ON provisioning_runs (tenant_id, number) WHERE NOT closed;

CREATE TABLE pooled_databases (
    id             TEXT NOT NULL,
    cluster        TEXT NOT NULL,
    database_name  TEXT NOT NULL,
    state          TEXT NOT NULL,
    -- The facts of the state; which of them there are depends on it.
    schema_version TEXT,
    tenant_id      TEXT REFERENCES tenants (id),
    leased_until   INTEGER,
    fence          INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX pooled_databases_taken ON pooled_databases (tenant_id) WHERE tenant_id IS NOT NULL;
CREATE INDEX pooled_databases_ready ON pooled_databases (state, cluster, schema_version, created_at, id);
