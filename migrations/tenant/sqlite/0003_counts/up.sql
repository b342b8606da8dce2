-- Twin of ../../postgres: what is changed here is changed there.

-- How many there are of what is limited, in the row that every writer locks anyway, so that asking costs nothing however many
-- there are. Kept by triggers: then a version of the product that does not know of the counts keeps them, too.
ALTER TABLE log_head ADD COLUMN accounts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log_head ADD COLUMN users INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log_head ADD COLUMN configs INTEGER NOT NULL DEFAULT 0; -- ids, and not their versions
UPDATE log_head SET
    accounts = (SELECT count(*) FROM accounts),
    users = (SELECT count(*) FROM users),
    configs = (SELECT count(*) FROM account_configs WHERE version = 1);

CREATE TRIGGER accounts_added AFTER INSERT ON accounts BEGIN
    UPDATE log_head SET accounts = accounts + 1;
END;
CREATE TRIGGER accounts_removed AFTER DELETE ON accounts BEGIN
    UPDATE log_head SET accounts = accounts - 1;
END;
CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
    UPDATE log_head SET users = users + 1;
END;
CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
    UPDATE log_head SET users = users - 1;
END;
-- Versions count from 1 without gaps.
CREATE TRIGGER configs_added AFTER INSERT ON account_configs WHEN new.version = 1 BEGIN
    UPDATE log_head SET configs = configs + 1;
END;
CREATE TRIGGER configs_removed AFTER DELETE ON account_configs WHEN old.version = 1 BEGIN
    UPDATE log_head SET configs = configs - 1;
END;
