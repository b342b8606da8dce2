-- Twin of ../../postgres: what is changed here is changed there.

-- The platform's own event log: the tables of a tenant's log, so that one set of statements does for both. What happens to
-- tenants outlives them here. Rows are never changed.
CREATE TABLE events (
    sequence   INTEGER NOT NULL,
    id         TEXT NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT, -- none here
    envelope   TEXT NOT NULL, -- JSON
    previous   BLOB NOT NULL,
    hash       BLOB NOT NULL,
    PRIMARY KEY (sequence)
) STRICT;
CREATE INDEX events_id ON events (id);

-- One row: the end of the log, and the lock that puts its writers in line.
CREATE TABLE log_head (
    id       INTEGER NOT NULL CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT;
INSERT INTO log_head (id, sequence, hash) VALUES (1, 0, zeroblob(32));
