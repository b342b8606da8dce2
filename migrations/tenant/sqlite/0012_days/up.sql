-- Twin of ../../postgres: what is changed here is changed there. Times are whole microseconds.

-- When to see what time alone has done to an account. It changes once a day, so most changes of an account leave the index alone.
ALTER TABLE accounts ADD COLUMN rolls_at INTEGER; -- null: never
CREATE INDEX accounts_to_roll ON accounts (rolls_at) WHERE rolls_at IS NOT NULL;
