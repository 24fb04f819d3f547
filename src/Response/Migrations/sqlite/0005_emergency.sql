-- Lock-downs of a field, and who may order one. plan has one row for each field; document is encrypted in both.
CREATE TABLE emergency (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NULL,
    document BLOB NOT NULL
);
CREATE INDEX emergency_field ON emergency (field_id, started_at);
CREATE TABLE emergency_plan (
    field_id TEXT NOT NULL PRIMARY KEY,
    document BLOB NOT NULL,
    changed_at BIGINT NOT NULL
);
