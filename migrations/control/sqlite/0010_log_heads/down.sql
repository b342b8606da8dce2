DROP TABLE log_heads;
