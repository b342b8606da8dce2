-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- What may be used once, on whichever replica; cleared away as new ones come.
CREATE TABLE nonces (
    hash       BLOB NOT NULL, -- SHA-256 of the nonce
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT;
CREATE INDEX nonces_expiry ON nonces (expires_at);
