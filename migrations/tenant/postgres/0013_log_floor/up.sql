-- Twin of ../../sqlite: what is changed here is changed there. Times are whole microseconds.

-- One row, once the beginning of the log was let go of: the last entry that was, signed. Tenants' own logins may read it only.
CREATE TABLE log_floor (
    id        BIGINT NOT NULL CHECK (id = 1),
    sequence  BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    signed_at BIGINT NOT NULL,
    mac       BYTEA NOT NULL,
    CONSTRAINT log_floor_pkey PRIMARY KEY (id)
);
