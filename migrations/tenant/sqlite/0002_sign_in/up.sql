-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- What is null was written by a version before this one.
ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 1; -- the number of the current refresh token
ALTER TABLE sessions ADD COLUMN refreshed_at INTEGER; -- when that was made; null: when the session was
ALTER TABLE sessions ADD COLUMN ends_at INTEGER; -- however much it is used; null: when the token expires
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN ended_at INTEGER; -- before its time
ALTER TABLE sessions ADD COLUMN ended_reason TEXT;
CREATE INDEX sessions_of_user ON sessions (user_id, id);

-- Attempts to sign in to accounts.
CREATE TABLE sign_in_attempts (
    key        BLOB NOT NULL, -- keyed hash of who or where: no address is stored in clear
    failures   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, -- when the failures are forgotten
    PRIMARY KEY (key)
) STRICT;
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
