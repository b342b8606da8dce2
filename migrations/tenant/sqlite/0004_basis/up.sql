-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- One row: how the tenant is organised in its own words.
CREATE TABLE basis (
    slot       INTEGER NOT NULL CHECK (slot = 1),
    id         TEXT NOT NULL,
    document   TEXT NOT NULL, -- JSON, its numbers as they were sent
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (slot)
) STRICT;

CREATE TABLE processes (
    id           TEXT NOT NULL,
    process_type TEXT NOT NULL,
    name         TEXT NOT NULL,
    steps        TEXT NOT NULL, -- JSON
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX processes_name ON processes (process_type, name);

-- What the basis and each process said, version by version, also of processes that were removed. Rows are never changed.
CREATE TABLE config_versions (
    subject    TEXT NOT NULL, -- the id of the basis or of a process
    version    INTEGER NOT NULL,
    document   TEXT, -- JSON; null: it was removed
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (subject, version)
) STRICT;
