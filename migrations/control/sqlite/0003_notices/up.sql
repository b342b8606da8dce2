-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- What is to be told outside, written in the transaction of what it tells of.
CREATE TABLE notices (
    id           TEXT NOT NULL, -- the event's
    channel      TEXT NOT NULL,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    event_type   TEXT NOT NULL,
    payload      TEXT NOT NULL, -- JSON
    created_at   INTEGER NOT NULL,
    due_at       INTEGER, -- none: settled
    leased_by    TEXT,
    leased_until INTEGER,
    attempts     INTEGER NOT NULL, -- begun so far; also the fencing token
    last_error   TEXT,
    settled_at   INTEGER,
    delivered    INTEGER, -- none: not settled
    PRIMARY KEY (id, channel)
) STRICT;
CREATE INDEX notices_due ON notices (channel, due_at, id) WHERE due_at IS NOT NULL;
-- Of each tenant, which one is first.
CREATE INDEX notices_in_line ON notices (channel, tenant_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX notices_settled ON notices (settled_at) WHERE settled_at IS NOT NULL;
