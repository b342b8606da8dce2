-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Tenants for whose webhooks there may be something to deliver. A tenant is marked before it commits an event, so whoever
-- looks at these misses nothing and need not look at the others.
CREATE TABLE delivery_marks (
    tenant_id TEXT COLLATE "C" NOT NULL,
    look_at   BIGINT NOT NULL, -- from then on
    until     BIGINT NOT NULL, -- and before this time the mark stays, whatever is found
    CONSTRAINT delivery_marks_pkey PRIMARY KEY (tenant_id)
);
CREATE INDEX delivery_marks_due ON delivery_marks (look_at);
