-- Twin of ../../postgres: what is changed here is changed there. Ids are text in byte order.

-- The trades that were applied to accounts. They refer to nothing that is ever removed, and whoever adds some has read the
-- account, so no reference is checked for each of them.
CREATE TABLE trades (
    account_id TEXT NOT NULL,
    trade_id   TEXT NOT NULL,
    sequence   INTEGER NOT NULL, -- of the entry in `events` that tells of it
    place      INTEGER NOT NULL, -- among the trades that came with it, from 0
    trade      TEXT NOT NULL, -- JSON
    realised   TEXT NOT NULL, -- an exact amount
    PRIMARY KEY (account_id, trade_id)
) STRICT;
CREATE INDEX trades_in_order ON trades (account_id, sequence, place);

-- Which accounts may hold a symbol: all that do, and some that no longer do.
CREATE TABLE holdings (
    symbol     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    PRIMARY KEY (symbol, account_id)
) STRICT, WITHOUT ROWID;
