-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN request TEXT; -- caller, operation and the caller's idempotency key
ALTER TABLE api_keys ADD COLUMN fingerprint BLOB; -- SHA-256 of that request
CREATE UNIQUE INDEX api_keys_request ON api_keys (request);

-- What machines' tokens are signed with.
CREATE TABLE signing_keys (
    kid            TEXT NOT NULL,
    number         INTEGER NOT NULL,
    algorithm      TEXT NOT NULL,
    public_jwk     TEXT NOT NULL,
    sealed_private TEXT, -- none once it is done with
    created_at     INTEGER NOT NULL,
    signs_from     INTEGER NOT NULL,
    signs_until    INTEGER,
    verifies_until INTEGER,
    version        INTEGER NOT NULL,
    PRIMARY KEY (kid)
) STRICT;
CREATE UNIQUE INDEX signing_keys_number ON signing_keys (number);

-- How far the last change of the master key has come: one row.
CREATE TABLE carryover (
    id           INTEGER NOT NULL CHECK (id = 1),
    plan         TEXT NOT NULL,
    begun_at     INTEGER NOT NULL,
    after_tenant TEXT,
    completed_at INTEGER,
    PRIMARY KEY (id)
) STRICT;
