-- Twin of ../../sqlite: what is changed here is changed there.

-- How many there are of what is limited, in the row that every writer locks anyway, so that asking costs nothing however many
-- there are. Kept by triggers: then a version of the product that does not know of the counts keeps them, too. They run
-- once per statement, however many rows it adds.
LOCK TABLE accounts, users, account_configs IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE log_head
    ADD COLUMN accounts BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN users BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN configs BIGINT NOT NULL DEFAULT 0; -- ids, and not their versions
UPDATE log_head SET
    accounts = (SELECT count(*) FROM accounts),
    users = (SELECT count(*) FROM users),
    configs = (SELECT count(*) FROM account_configs WHERE version = 1);

CREATE FUNCTION count_accounts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE log_head SET accounts = accounts + (SELECT count(*) FROM changed);
    ELSE
        UPDATE log_head SET accounts = accounts - (SELECT count(*) FROM changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_added AFTER INSERT ON accounts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_accounts();
CREATE TRIGGER accounts_removed AFTER DELETE ON accounts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_accounts();

CREATE FUNCTION count_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE log_head SET users = users + (SELECT count(*) FROM changed);
    ELSE
        UPDATE log_head SET users = users - (SELECT count(*) FROM changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_added AFTER INSERT ON users
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER users_removed AFTER DELETE ON users
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_users();

-- Versions count from 1 without gaps.
CREATE FUNCTION count_configs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE log_head SET configs = configs + (SELECT count(*) FROM changed WHERE version = 1);
    ELSE
        UPDATE log_head SET configs = configs - (SELECT count(*) FROM changed WHERE version = 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER configs_added AFTER INSERT ON account_configs
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_configs();
CREATE TRIGGER configs_removed AFTER DELETE ON account_configs
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_configs();
