-- Twin of ../../sqlite: what is changed here is changed there. Times are whole microseconds.

-- What may be used once, on whichever replica; cleared away as new ones come.
CREATE TABLE nonces (
    hash       BYTEA NOT NULL, -- SHA-256 of the nonce
    expires_at BIGINT NOT NULL,
    CONSTRAINT nonces_pkey PRIMARY KEY (hash)
);
CREATE INDEX nonces_expiry ON nonces (expires_at);
