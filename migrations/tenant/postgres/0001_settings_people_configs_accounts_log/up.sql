-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

CREATE TABLE settings (
    id       BIGINT NOT NULL CHECK (id = 1),
    document TEXT NOT NULL, -- JSON
    CONSTRAINT settings_pkey PRIMARY KEY (id)
);

CREATE TABLE users (
    id            TEXT COLLATE "C" NOT NULL,
    email         TEXT NOT NULL,
    email_folded  TEXT COLLATE "C" NOT NULL, -- what addresses are compared by
    username      TEXT COLLATE "C" NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    role          TEXT NOT NULL,
    abilities     TEXT NOT NULL, -- JSON
    active        BOOLEAN NOT NULL,
    verified      BOOLEAN NOT NULL,
    password_hash TEXT NOT NULL, -- PHC string
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_email ON users (email_folded);
CREATE UNIQUE INDEX users_username ON users (username);

CREATE TABLE sessions (
    id         TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    token_hash BYTEA NOT NULL, -- SHA-256 of the refresh token
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX sessions_token_hash ON sessions (token_hash);

-- Rows are never changed.
CREATE TABLE account_configs (
    id         TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL, -- JSON, as uploaded
    resolved   TEXT NOT NULL, -- JSON, laid over its parents
    hash       TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT account_configs_pkey PRIMARY KEY (id, version)
);

-- No foreign key to account_configs: it would lock the config's row for every account, and configs never go.
CREATE TABLE accounts (
    id             TEXT COLLATE "C" NOT NULL,
    tenant_id      TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    config_id      TEXT COLLATE "C" NOT NULL,
    config_version BIGINT NOT NULL,
    config_hash    TEXT NOT NULL,
    status         TEXT NOT NULL,
    state          TEXT NOT NULL, -- JSON
    meta           TEXT, -- JSON
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id)
);
CREATE INDEX accounts_of_user ON accounts (user_id, id);

CREATE TABLE idempotency (
    scope       TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL, -- SHA-256 of the request
    status      BIGINT NOT NULL,
    body        BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (scope)
);

-- Rows are never changed.
CREATE TABLE events (
    sequence   BIGINT NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT COLLATE "C",
    envelope   TEXT NOT NULL, -- JSON
    previous   BYTEA NOT NULL,
    hash       BYTEA NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (sequence)
);

-- One row: the end of the log, and the lock that puts its writers in line.
CREATE TABLE log_head (
    id       BIGINT NOT NULL CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash     BYTEA NOT NULL,
    CONSTRAINT log_head_pkey PRIMARY KEY (id)
);
INSERT INTO log_head (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
