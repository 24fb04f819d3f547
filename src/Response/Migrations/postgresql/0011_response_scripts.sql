-- Response scripts of a field: versions that stay as they came, what was decided about them, and their last runs on live detections. body is encrypted everywhere.
CREATE TABLE response_script_version (
    field_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (field_id, name, version)
);
CREATE TABLE response_script_turn (
    field_id TEXT NOT NULL,
    name TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (field_id, name, number)
);
CREATE TABLE response_script_run (
    field_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    finding_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    good BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (field_id, name, version, finding_id)
);
CREATE INDEX response_script_run_time ON response_script_run (field_id, name, at);
