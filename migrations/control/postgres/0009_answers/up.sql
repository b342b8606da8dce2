-- Twin of ../../sqlite: what is changed here is changed there. Times are whole microseconds.

-- First answers to requests that may come again and are not a tenant's; the table is the one that tenants have, but for the
-- index, by which outdated ones are cleared away as new ones come. What is secret in a body is sealed.
CREATE TABLE idempotency (
    scope       TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL, -- of the request: SHA-256, or keyed where there is a secret in it
    status      BIGINT NOT NULL,
    body        BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (scope)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
