-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- What is null was written by a version before this one.
ALTER TABLE sessions ADD COLUMN generation BIGINT NOT NULL DEFAULT 1; -- the number of the current refresh token
ALTER TABLE sessions ADD COLUMN refreshed_at BIGINT; -- when that was made; null: when the session was
ALTER TABLE sessions ADD COLUMN ends_at BIGINT; -- however much it is used; null: when the token expires
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN ended_at BIGINT; -- before its time
ALTER TABLE sessions ADD COLUMN ended_reason TEXT;
CREATE INDEX sessions_of_user ON sessions (user_id, id);

-- Attempts to sign in to accounts.
CREATE TABLE sign_in_attempts (
    key        BYTEA NOT NULL, -- keyed hash of who or where: no address is stored in clear
    failures   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- when the failures are forgotten
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (key)
);
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
