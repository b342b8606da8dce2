-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Lists of accounts by status, and by config; by both in the second one, in which what has another status is passed over.
ALTER TABLE accounts ALTER COLUMN status TYPE TEXT COLLATE "C";
CREATE INDEX accounts_in_status ON accounts (status, id);
CREATE INDEX accounts_of_config ON accounts (config_id, id, status);

-- What happened to an account. Events of no account cost it nothing.
CREATE INDEX events_of_account ON events (account_id, sequence) WHERE account_id IS NOT NULL;

-- Which website users an account was given to, since when and until when. For the user that it was provisioned for there is
-- no row as long as nobody has taken it from them, so provisioning writes none.
CREATE TABLE account_mappings (
    id          TEXT COLLATE "C" NOT NULL,
    account_id  TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    user_id     TEXT COLLATE "C" NOT NULL,
    mapped_at   BIGINT NOT NULL,
    mapped_by   TEXT, -- null: with the provisioning
    unmapped_at BIGINT,
    unmapped_by TEXT,
    CONSTRAINT account_mappings_pkey PRIMARY KEY (account_id, id)
);
CREATE INDEX account_mappings_of_user ON account_mappings (user_id, account_id, id);
