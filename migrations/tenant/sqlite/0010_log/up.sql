-- Twin of ../../postgres: what is changed here is changed there.

-- Where somebody goes on who saw an event, and what happened to an account.
CREATE INDEX events_id ON events (id);
CREATE INDEX events_of_account ON events (account_id, sequence) WHERE account_id IS NOT NULL;
