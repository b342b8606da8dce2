-- Twin of ../../sqlite: what is changed here is changed there. Times are whole microseconds.

ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
ALTER TABLE api_keys ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN request TEXT COLLATE "C"; -- caller, operation and the caller's idempotency key
ALTER TABLE api_keys ADD COLUMN fingerprint BYTEA; -- SHA-256 of that request
CREATE UNIQUE INDEX api_keys_request ON api_keys (request);

-- What machines' tokens are signed with.
CREATE TABLE signing_keys (
    kid            TEXT COLLATE "C" NOT NULL,
    number         BIGINT NOT NULL,
    algorithm      TEXT NOT NULL,
    public_jwk     TEXT NOT NULL,
    sealed_private TEXT, -- none once it is done with
    created_at     BIGINT NOT NULL,
    signs_from     BIGINT NOT NULL,
    signs_until    BIGINT,
    verifies_until BIGINT,
    version        BIGINT NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (kid)
);
CREATE UNIQUE INDEX signing_keys_number ON signing_keys (number);

-- How far the last change of the master key has come: one row.
CREATE TABLE carryover (
    id           BIGINT NOT NULL CHECK (id = 1),
    plan         TEXT NOT NULL,
    begun_at     BIGINT NOT NULL,
    after_tenant TEXT COLLATE "C",
    completed_at BIGINT,
    CONSTRAINT carryover_pkey PRIMARY KEY (id)
);
