CREATE TABLE field_flow (
    field_id   TEXT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
