DROP TABLE carryover;
DROP TABLE signing_keys;
DROP INDEX api_keys_request;
ALTER TABLE api_keys DROP COLUMN fingerprint;
ALTER TABLE api_keys DROP COLUMN request;
ALTER TABLE api_keys DROP COLUMN version;
ALTER TABLE api_keys DROP COLUMN last_used_at;
