DROP TABLE pooled_databases;
DROP INDEX provisioning_runs_open;
DROP INDEX provisioning_runs_due;
CREATE INDEX provisioning_runs_due ON provisioning_runs (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE provisioning_runs DROP COLUMN set_aside, DROP COLUMN kind;
DROP INDEX tenants_outdated;
DROP INDEX tenants_per_cluster;
DROP INDEX tenants_overdue;
DROP INDEX tenants_by_plan;
DROP INDEX tenants_by_status;
ALTER TABLE tenants
    ALTER COLUMN plan TYPE TEXT COLLATE "default",
    ALTER COLUMN status TYPE TEXT COLLATE "default",
    DROP COLUMN former,
    DROP COLUMN begun,
    DROP COLUMN drop_at,
    DROP COLUMN schema_version,
    DROP COLUMN login,
    DROP COLUMN cluster;
