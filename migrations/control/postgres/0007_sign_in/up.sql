-- Twin of ../../sqlite: what is changed here is changed there. Times are whole microseconds.

-- Attempts to sign in from addresses, from everywhere, and to what is no tenant in service.
CREATE TABLE sign_in_attempts (
    key        BYTEA NOT NULL, -- keyed hash of who or where: no address is stored in clear
    failures   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- when the failures are forgotten
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (key)
);
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
