-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- When a tenant's accounts are to be looked at, since time alone will have done something to them. A row stays until it was
-- due and somebody has looked.
CREATE TABLE tenant_days (
    due_at       BIGINT NOT NULL,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    leased_by    TEXT,
    leased_until BIGINT,
    fence        BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT tenant_days_pkey PRIMARY KEY (due_at, tenant_id)
);
