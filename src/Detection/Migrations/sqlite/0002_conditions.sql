ALTER TABLE finding ADD COLUMN threat TEXT NULL;
ALTER TABLE finding ADD COLUMN effect TEXT NOT NULL DEFAULT 'act';
ALTER TABLE finding ADD COLUMN stage TEXT NULL;
ALTER TABLE finding ADD COLUMN retracted_because TEXT NULL;

-- Belongs to the lanes' state: written in their transaction, so that it stands at their position.
CREATE TABLE detection_exception (
    id TEXT PRIMARY KEY,
    field_id TEXT NULL,
    position BIGINT NOT NULL,
    body BLOB NOT NULL,
    allowed BIGINT NOT NULL,
    allowed_at BIGINT NULL
);

CREATE TABLE detection_prior (
    area TEXT NOT NULL,
    metric TEXT NOT NULL,
    version BIGINT NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (area, metric)
);

CREATE TABLE field_calendar (
    field_id TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    document TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
