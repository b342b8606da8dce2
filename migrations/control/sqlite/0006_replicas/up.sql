-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- The processes that answer requests, each of which says every few seconds that it is there, and how much of the limited rates
-- it lets in.
CREATE TABLE replicas (
    id      TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    rates   TEXT NOT NULL, -- JSON: requests a minute by tenant
    PRIMARY KEY (id)
) STRICT;
