DROP TABLE api_keys;
DROP TABLE provisioning_steps;
DROP TABLE provisioning_runs;
DROP TABLE tenants;
