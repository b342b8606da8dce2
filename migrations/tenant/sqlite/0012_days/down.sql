DROP INDEX accounts_to_roll;
ALTER TABLE accounts DROP COLUMN rolls_at;
