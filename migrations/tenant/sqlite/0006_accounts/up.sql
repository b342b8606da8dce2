-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Lists of accounts by status, and by config; by both in the second one, in which what has another status is passed over.
CREATE INDEX accounts_in_status ON accounts (status, id);
CREATE INDEX accounts_of_config ON accounts (config_id, id, status);

-- What happened to an account. Events of no account cost it nothing.
CREATE INDEX events_of_account ON events (account_id, sequence) WHERE account_id IS NOT NULL;

-- Which website users an account was given to, since when and until when. For the user that it was provisioned for there is
-- no row as long as nobody has taken it from them, so provisioning writes none.
CREATE TABLE account_mappings (
    id          TEXT NOT NULL,
    account_id  TEXT NOT NULL REFERENCES accounts (id),
    user_id     TEXT NOT NULL,
    mapped_at   INTEGER NOT NULL,
    mapped_by   TEXT, -- null: with the provisioning
    unmapped_at INTEGER,
    unmapped_by TEXT,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX account_mappings_of_user ON account_mappings (user_id, account_id, id);
