CREATE TABLE field (
    field_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    contact_point BLOB NOT NULL,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE product_line (
    line_id TEXT PRIMARY KEY,
    field_id TEXT NOT NULL REFERENCES field (field_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    common_auth_id TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (field_id, name)
);

CREATE TABLE device (
    device_id TEXT PRIMARY KEY,
    field_id TEXT NOT NULL REFERENCES field (field_id),
    name BLOB NOT NULL,
    kind TEXT NOT NULL,
    unique_id_type TEXT NOT NULL,
    unique_id BLOB NOT NULL,
    unique_id_hash BLOB NOT NULL,
    cadence TEXT NOT NULL,
    interval_ms BIGINT,
    parent_id TEXT REFERENCES device (device_id),
    user_id TEXT REFERENCES device (device_id),
    common_auth_id TEXT UNIQUE,
    secret_hash BLOB,
    line_id TEXT REFERENCES product_line (line_id),
    epoch BIGINT NOT NULL,
    bound BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_reason BLOB NOT NULL,
    state_actor TEXT NOT NULL,
    state_at BIGINT NOT NULL,
    supersedes TEXT,
    superseded_by TEXT,
    created_at BIGINT NOT NULL
);

-- One current row per identity; a retired one stands aside only when another supersedes it by name.
CREATE UNIQUE INDEX device_identity ON device (unique_id_hash) WHERE superseded_by IS NULL;
CREATE INDEX device_field ON device (field_id);
CREATE INDEX device_parent ON device (parent_id);
CREATE INDEX device_user ON device (user_id);

CREATE TABLE token (
    token_hash BLOB PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (device_id) ON DELETE CASCADE,
    epoch BIGINT NOT NULL,
    source TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    place BIGINT NOT NULL -- order of issue within the device
);
CREATE INDEX token_device ON token (device_id);

CREATE TABLE pending_binding (
    device_id TEXT PRIMARY KEY REFERENCES device (device_id) ON DELETE CASCADE,
    binding_id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    refused_at BIGINT,
    accepted_at BIGINT
);
