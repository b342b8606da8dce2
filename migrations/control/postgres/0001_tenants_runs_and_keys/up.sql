-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

CREATE TABLE tenants (
    id              TEXT COLLATE "C" NOT NULL,
    name            TEXT NOT NULL,
    name_folded     TEXT NOT NULL, -- lower case, for searching
    slug            TEXT COLLATE "C" NOT NULL,
    slug_held       BOOLEAN NOT NULL,
    plan            TEXT NOT NULL,
    contact_email   TEXT,
    config          TEXT, -- JSON
    database_name   TEXT NOT NULL,
    status          TEXT NOT NULL,
    -- The facts of the status; which of them there are depends on it.
    token           TEXT,
    expires_at      BIGINT,
    since           BIGINT,
    error_code      TEXT,
    error_message   TEXT,
    needs_attention BOOLEAN,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    CONSTRAINT tenants_pkey PRIMARY KEY (id)
);
-- A slug is one tenant's for as long as its database may exist.
CREATE UNIQUE INDEX tenants_slug_held ON tenants (slug) WHERE slug_held;
CREATE INDEX tenants_newest ON tenants (created_at, id);

CREATE TABLE provisioning_runs (
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    number       BIGINT NOT NULL,
    with_admin   BOOLEAN NOT NULL,
    direction    TEXT NOT NULL,
    admin        TEXT, -- JSON; forgotten when the run is closed
    due_at       BIGINT, -- none: not to be claimed
    leased_by    TEXT,
    leased_until BIGINT,
    fence        BIGINT NOT NULL,
    closed       BOOLEAN NOT NULL,
    CONSTRAINT provisioning_runs_pkey PRIMARY KEY (tenant_id, number)
);
CREATE INDEX provisioning_runs_due ON provisioning_runs (due_at) WHERE due_at IS NOT NULL;

-- One row per attempt, in the order of the journal; rows are never deleted.
CREATE TABLE provisioning_steps (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    run_number    BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    attempt       BIGINT NOT NULL,
    status        TEXT NOT NULL,
    started_at    BIGINT,
    completed_at  BIGINT,
    log           TEXT,
    error_code    TEXT,
    error_message TEXT,
    undone_at     BIGINT,
    CONSTRAINT provisioning_steps_pkey PRIMARY KEY (tenant_id, run_number, position),
    FOREIGN KEY (tenant_id, run_number) REFERENCES provisioning_runs (tenant_id, number)
);

CREATE TABLE api_keys (
    id         TEXT COLLATE "C" NOT NULL,
    tenant_id  TEXT COLLATE "C" REFERENCES tenants (id), -- none: the operator's
    name       TEXT NOT NULL,
    lookup     TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL, -- SHA-256 of the key, which itself is nowhere
    last4      TEXT NOT NULL,
    scopes     TEXT NOT NULL, -- separated by spaces
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX api_keys_lookup ON api_keys (lookup);
CREATE INDEX api_keys_newest ON api_keys (tenant_id, created_at, id);
