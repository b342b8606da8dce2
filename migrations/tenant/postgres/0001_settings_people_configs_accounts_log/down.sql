DROP TABLE log_head;
DROP TABLE events;
DROP TABLE idempotency;
DROP TABLE accounts;
DROP TABLE account_configs;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE settings;
