DROP TRIGGER configs_removed;
DROP TRIGGER configs_added;
DROP TRIGGER users_removed;
DROP TRIGGER users_added;
DROP TRIGGER accounts_removed;
DROP TRIGGER accounts_added;
ALTER TABLE log_head DROP COLUMN configs;
ALTER TABLE log_head DROP COLUMN users;
ALTER TABLE log_head DROP COLUMN accounts;
