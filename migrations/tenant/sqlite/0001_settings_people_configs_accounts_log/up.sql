-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

CREATE TABLE settings (
    id       INTEGER NOT NULL CHECK (id = 1),
    document TEXT NOT NULL, -- JSON
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE users (
    id            TEXT NOT NULL,
    email         TEXT NOT NULL,
    email_folded  TEXT NOT NULL, -- what addresses are compared by
    username      TEXT NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    role          TEXT NOT NULL,
    abilities     TEXT NOT NULL, -- JSON
    active        INTEGER NOT NULL,
    verified      INTEGER NOT NULL,
    password_hash TEXT NOT NULL, -- PHC string
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email_folded);
CREATE UNIQUE INDEX users_username ON users (username);

CREATE TABLE sessions (
    id         TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id),
    token_hash BLOB NOT NULL, -- SHA-256 of the refresh token
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX sessions_token_hash ON sessions (token_hash);

-- Rows are never changed.
CREATE TABLE account_configs (
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    document   TEXT NOT NULL, -- JSON, as uploaded
    resolved   TEXT NOT NULL, -- JSON, laid over its parents
    hash       TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;

-- No foreign key to account_configs: it would lock the config's row for every account, and configs never go.
CREATE TABLE accounts (
    id             TEXT NOT NULL,
    tenant_id      TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    config_id      TEXT NOT NULL,
    config_version INTEGER NOT NULL,
    config_hash    TEXT NOT NULL,
    status         TEXT NOT NULL,
    state          TEXT NOT NULL, -- JSON
    meta           TEXT, -- JSON
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE INDEX accounts_of_user ON accounts (user_id, id);

CREATE TABLE idempotency (
    scope       TEXT NOT NULL,
    fingerprint BLOB NOT NULL, -- SHA-256 of the request
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (scope)
) STRICT;

-- Rows are never changed.
CREATE TABLE events (
    sequence   INTEGER NOT NULL,
    id         TEXT NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT,
    envelope   TEXT NOT NULL, -- JSON
    previous   BLOB NOT NULL,
    hash       BLOB NOT NULL,
    PRIMARY KEY (sequence)
) STRICT;

-- One row: the end of the log, and the lock that puts its writers in line.
CREATE TABLE log_head (
    id       INTEGER NOT NULL CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT;
INSERT INTO log_head (id, sequence, hash) VALUES (1, 0, zeroblob(32));
