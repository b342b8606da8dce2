DROP TABLE config_versions;
DROP TABLE processes;
DROP TABLE basis;
