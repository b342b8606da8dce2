-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- How far tenants' event logs had come, signed, apart from the logs. They outlive their tenants. Rows are never changed.
CREATE TABLE log_heads (
    tenant_id TEXT NOT NULL,
    sequence  INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    mac       BLOB NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
) STRICT;
