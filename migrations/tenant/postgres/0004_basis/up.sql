-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- One row: how the tenant is organised in its own words.
CREATE TABLE basis (
    slot       BIGINT NOT NULL CHECK (slot = 1),
    id         TEXT COLLATE "C" NOT NULL,
    document   TEXT NOT NULL, -- JSON, its numbers as they were sent
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT basis_pkey PRIMARY KEY (slot)
);

CREATE TABLE processes (
    id           TEXT COLLATE "C" NOT NULL,
    process_type TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    steps        TEXT NOT NULL, -- JSON
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    CONSTRAINT processes_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX processes_name ON processes (process_type, name);

-- What the basis and each process said, version by version, also of processes that were removed. Rows are never changed.
CREATE TABLE config_versions (
    subject    TEXT COLLATE "C" NOT NULL, -- the id of the basis or of a process
    version    BIGINT NOT NULL,
    document   TEXT, -- JSON; null: it was removed
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT config_versions_pkey PRIMARY KEY (subject, version)
);
