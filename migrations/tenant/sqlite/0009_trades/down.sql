DROP TABLE holdings;
DROP TABLE trades;
