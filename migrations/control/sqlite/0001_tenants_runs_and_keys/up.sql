-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

CREATE TABLE tenants (
    id              TEXT NOT NULL,
    name            TEXT NOT NULL,
    name_folded     TEXT NOT NULL, -- lower case, for searching
    slug            TEXT NOT NULL,
    slug_held       INTEGER NOT NULL,
    plan            TEXT NOT NULL,
    contact_email   TEXT,
    config          TEXT, -- JSON
    database_name   TEXT NOT NULL,
    status          TEXT NOT NULL,
    -- The facts of the status; which of them there are depends on it.
    token           TEXT,
    expires_at      INTEGER,
    since           INTEGER,
    error_code      TEXT,
    error_message   TEXT,
    needs_attention INTEGER,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
-- A slug is one tenant's for as long as its database may exist.
CREATE UNIQUE INDEX tenants_slug_held ON tenants (slug) WHERE slug_held;
CREATE INDEX tenants_newest ON tenants (created_at, id);

CREATE TABLE provisioning_runs (
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    number       INTEGER NOT NULL,
    with_admin   INTEGER NOT NULL,
    direction    TEXT NOT NULL,
    admin        TEXT, -- JSON; forgotten when the run is closed
    due_at       INTEGER, -- none: not to be claimed
    leased_by    TEXT,
    leased_until INTEGER,
    fence        INTEGER NOT NULL,
    closed       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, number)
) STRICT;
CREATE INDEX provisioning_runs_due ON provisioning_runs (due_at) WHERE due_at IS NOT NULL;

-- One row per attempt, in the order of the journal; rows are never deleted.
CREATE TABLE provisioning_steps (
    tenant_id     TEXT NOT NULL,
    run_number    INTEGER NOT NULL,
    position      INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    status        TEXT NOT NULL,
    started_at    INTEGER,
    completed_at  INTEGER,
    log           TEXT,
    error_code    TEXT,
    error_message TEXT,
    undone_at     INTEGER,
    PRIMARY KEY (tenant_id, run_number, position),
    FOREIGN KEY (tenant_id, run_number) REFERENCES provisioning_runs (tenant_id, number)
) STRICT;

CREATE TABLE api_keys (
    id         TEXT NOT NULL,
    tenant_id  TEXT REFERENCES tenants (id), -- none: the operator's
    name       TEXT NOT NULL,
    lookup     TEXT NOT NULL,
    hash       BLOB NOT NULL, -- SHA-256 of the key, which itself is nowhere
    last4      TEXT NOT NULL,
    scopes     TEXT NOT NULL, -- separated by spaces
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX api_keys_lookup ON api_keys (lookup);
CREATE INDEX api_keys_newest ON api_keys (tenant_id, created_at, id);
