-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- One row, once the beginning of the log was let go of: the last entry that was, signed.
CREATE TABLE log_floor (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence  INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    mac       BLOB NOT NULL
) STRICT;
