-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Where the tenant is told of its events. How far an endpoint has come in the log is in its own row, so that a business
-- transaction writes nothing for it.
CREATE TABLE webhook_endpoints (
    id              TEXT NOT NULL,
    url             TEXT NOT NULL,
    description     TEXT,
    event_types     TEXT NOT NULL, -- JSON: patterns
    secret          BLOB NOT NULL, -- sealed
    previous_secret BLOB, -- sealed
    previous_until  INTEGER,
    disabled        TEXT, -- why
    disabled_at     INTEGER,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    position        INTEGER NOT NULL, -- the last entry of the log that was looked at
    recover_until   INTEGER NOT NULL DEFAULT 0, -- up to this entry there may be deliveries already
    retry_at        INTEGER, -- when the first of its pending deliveries is due
    failing_since   INTEGER,
    rests_until     INTEGER NOT NULL DEFAULT 0,
    lease           TEXT,
    lease_until     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_disabled CHECK ((disabled IS NULL) = (disabled_at IS NULL)),
    CONSTRAINT webhook_endpoints_previous CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
) STRICT;

CREATE TABLE webhook_deliveries (
    id           TEXT NOT NULL,
    endpoint_id  TEXT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    sequence     INTEGER NOT NULL, -- of the event, in the log
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    due_at       INTEGER,
    attempts     INTEGER NOT NULL,
    last_attempt TEXT, -- JSON
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_due CHECK ((status = 'pending') = (due_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX webhook_deliveries_of_entry ON webhook_deliveries (endpoint_id, sequence);
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_in_status ON webhook_deliveries (endpoint_id, status, id) WHERE status <> 'delivered';
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, due_at) WHERE due_at IS NOT NULL;
