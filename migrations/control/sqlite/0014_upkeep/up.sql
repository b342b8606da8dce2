-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- One row: how far the round has come that goes over all tenants' databases and lets go of what is past its time.
CREATE TABLE upkeep (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    begun_at     INTEGER NOT NULL,
    after_tenant TEXT,
    due_at       INTEGER NOT NULL,
    leased_by    TEXT,
    leased_until INTEGER,
    fence        INTEGER NOT NULL
) STRICT;
INSERT INTO upkeep (id, begun_at, due_at, fence) VALUES (1, 0, 0, 0);
