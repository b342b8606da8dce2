DROP TABLE account_mappings;
DROP INDEX events_of_account;
DROP INDEX accounts_of_config;
DROP INDEX accounts_in_status;
ALTER TABLE accounts ALTER COLUMN status TYPE TEXT;
