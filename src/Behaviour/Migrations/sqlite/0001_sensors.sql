CREATE TABLE sensor (
    sensor_id TEXT PRIMARY KEY,
    field_id TEXT NOT NULL,
    name BLOB NOT NULL,
    state TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    code_hash BLOB,
    code_expires_at BIGINT,
    last_sequence BIGINT NOT NULL,
    last_seen BIGINT,
    missed BIGINT NOT NULL,
    status BLOB
);

CREATE TABLE sensor_certificate (
    certificate_hash BLOB PRIMARY KEY,
    sensor_id TEXT NOT NULL REFERENCES sensor (sensor_id) ON DELETE CASCADE,
    issued_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL
);

CREATE TABLE sensor_device (
    sensor_id TEXT NOT NULL REFERENCES sensor (sensor_id) ON DELETE CASCADE,
    device_key BLOB NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    identity BLOB NOT NULL,
    PRIMARY KEY (sensor_id, device_key)
);

CREATE TABLE sensor_interval (
    sensor_id TEXT NOT NULL REFERENCES sensor (sensor_id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (sensor_id, sequence)
);

CREATE INDEX sensor_interval_age ON sensor_interval (received_at);
