DROP INDEX events_of_account;
DROP INDEX events_id;
