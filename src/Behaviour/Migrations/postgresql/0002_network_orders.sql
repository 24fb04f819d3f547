CREATE TABLE network_measure (
    measure_id TEXT PRIMARY KEY,
    field_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    ordered_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    lifted_at BIGINT,
    body BYTEA NOT NULL
);

CREATE INDEX network_measure_field ON network_measure (field_id, expires_at);

CREATE TABLE network_order (
    sensor_id TEXT NOT NULL REFERENCES sensor (sensor_id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    measure_id TEXT NOT NULL REFERENCES network_measure (measure_id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT NOT NULL,
    answered_at BIGINT,
    PRIMARY KEY (sensor_id, sequence)
);

CREATE INDEX network_order_measure ON network_order (measure_id);

CREATE TABLE network_enforcer (
    sensor_id TEXT PRIMARY KEY REFERENCES sensor (sensor_id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL
);

CREATE TABLE network_link (
    device_id TEXT PRIMARY KEY,
    field_id TEXT NOT NULL,
    body BYTEA NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL
);
