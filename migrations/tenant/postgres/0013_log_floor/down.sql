DROP TABLE log_floor;
