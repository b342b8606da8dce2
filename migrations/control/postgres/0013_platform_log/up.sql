-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order.

-- The platform's own event log: the tables of a tenant's log, so that one set of statements does for both. What happens to
-- tenants outlives them here. Rows are never changed.
CREATE TABLE events (
    sequence   BIGINT NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT COLLATE "C", -- none here
    envelope   TEXT NOT NULL, -- JSON
    previous   BYTEA NOT NULL,
    hash       BYTEA NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (sequence)
);
CREATE INDEX events_id ON events (id);

-- One row: the end of the log, and the lock that puts its writers in line.
CREATE TABLE log_head (
    id       BIGINT NOT NULL CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash     BYTEA NOT NULL,
    CONSTRAINT log_head_pkey PRIMARY KEY (id)
);
INSERT INTO log_head (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
