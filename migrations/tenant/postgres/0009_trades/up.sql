-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order.

-- The trades that were applied to accounts. They refer to nothing that is ever removed, and whoever adds some has read the
-- account, so no reference is checked for each of them.
CREATE TABLE trades (
    account_id TEXT COLLATE "C" NOT NULL,
    trade_id   TEXT COLLATE "C" NOT NULL,
    sequence   BIGINT NOT NULL, -- of the entry in `events` that tells of it
    place      BIGINT NOT NULL, -- among the trades that came with it, from 0
    trade      TEXT NOT NULL, -- JSON
    realised   TEXT NOT NULL, -- an exact amount
    CONSTRAINT trades_pkey PRIMARY KEY (account_id, trade_id)
);
CREATE INDEX trades_in_order ON trades (account_id, sequence, place);

-- Which accounts may hold a symbol: all that do, and some that no longer do.
CREATE TABLE holdings (
    symbol     TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT holdings_pkey PRIMARY KEY (symbol, account_id)
);

-- Every trade and mark replaces the account's row: with room on its page it need not be entered in the indexes again.
ALTER TABLE accounts SET (fillfactor = 70);
