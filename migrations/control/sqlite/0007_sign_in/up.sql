-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- Attempts to sign in from addresses, from everywhere, and to what is no tenant in service.
CREATE TABLE sign_in_attempts (
    key        BLOB NOT NULL, -- keyed hash of who or where: no address is stored in clear
    failures   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, -- when the failures are forgotten
    PRIMARY KEY (key)
) STRICT;
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
