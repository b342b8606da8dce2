-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- First answers to requests that may come again and are not a tenant's; the table is the one that tenants have, but for the
-- index, by which outdated ones are cleared away as new ones come. What is secret in a body is sealed.
CREATE TABLE idempotency (
    scope       TEXT NOT NULL,
    fingerprint BLOB NOT NULL, -- of the request: SHA-256, or keyed where there is a secret in it
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (scope)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);
