-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Where the tenant is told of its events. How far an endpoint has come in the log is in its own row, so that a business
-- transaction writes nothing for it.
CREATE TABLE webhook_endpoints (
    id              TEXT COLLATE "C" NOT NULL,
    url             TEXT NOT NULL,
    description     TEXT,
    event_types     TEXT NOT NULL, -- JSON: patterns
    secret          BYTEA NOT NULL, -- sealed
    previous_secret BYTEA, -- sealed
    previous_until  BIGINT,
    disabled        TEXT, -- why
    disabled_at     BIGINT,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    position        BIGINT NOT NULL, -- the last entry of the log that was looked at
    recover_until   BIGINT NOT NULL DEFAULT 0, -- up to this entry there may be deliveries already
    retry_at        BIGINT, -- when the first of its pending deliveries is due
    failing_since   BIGINT,
    rests_until     BIGINT NOT NULL DEFAULT 0,
    lease           TEXT COLLATE "C",
    lease_until     BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_disabled CHECK ((disabled IS NULL) = (disabled_at IS NULL)),
    CONSTRAINT webhook_endpoints_previous CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

CREATE TABLE webhook_deliveries (
    id           TEXT COLLATE "C" NOT NULL,
    endpoint_id  TEXT COLLATE "C" NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    sequence     BIGINT NOT NULL, -- of the event, in the log
    event_id     TEXT COLLATE "C" NOT NULL,
    event_type   TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    due_at       BIGINT,
    attempts     BIGINT NOT NULL,
    last_attempt TEXT, -- JSON
    created_at   BIGINT NOT NULL,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_due CHECK ((status = 'pending') = (due_at IS NOT NULL))
);
CREATE UNIQUE INDEX webhook_deliveries_of_entry ON webhook_deliveries (endpoint_id, sequence);
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_in_status ON webhook_deliveries (endpoint_id, status, id) WHERE status <> 'delivered';
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, due_at) WHERE due_at IS NOT NULL;
