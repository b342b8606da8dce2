ALTER TABLE accounts RESET (fillfactor);
DROP TABLE holdings;
DROP TABLE trades;
