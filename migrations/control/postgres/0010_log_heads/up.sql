-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- How far tenants' event logs had come, signed, apart from the logs. They outlive their tenants. Rows are never changed.
CREATE TABLE log_heads (
    tenant_id TEXT COLLATE "C" NOT NULL,
    sequence  BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    signed_at BIGINT NOT NULL,
    mac       BYTEA NOT NULL,
    CONSTRAINT log_heads_pkey PRIMARY KEY (tenant_id, sequence)
);
