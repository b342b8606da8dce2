-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- One row: how far the round has come that goes over all tenants' databases and lets go of what is past its time.
CREATE TABLE upkeep (
    id           BIGINT NOT NULL CHECK (id = 1),
    begun_at     BIGINT NOT NULL,
    after_tenant TEXT COLLATE "C",
    due_at       BIGINT NOT NULL,
    leased_by    TEXT,
    leased_until BIGINT,
    fence        BIGINT NOT NULL,
    CONSTRAINT upkeep_pkey PRIMARY KEY (id)
);
INSERT INTO upkeep (id, begun_at, due_at, fence) VALUES (1, 0, 0, 0);
