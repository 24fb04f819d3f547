CREATE TABLE lane (
    lane BIGINT PRIMARY KEY,
    position BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    tick_at BIGINT NOT NULL,
    downtime BIGINT NOT NULL
);

-- subject is the key itself, or its keyed hash where it identifies somebody (sources); then key holds it encrypted.
CREATE TABLE lane_subject (
    scope TEXT NOT NULL,
    area TEXT NOT NULL,
    subject TEXT NOT NULL,
    lane BIGINT NOT NULL,
    field_id TEXT NULL,
    key BYTEA NULL,
    state BYTEA NOT NULL,
    PRIMARY KEY (scope, area, subject)
);

CREATE TABLE finding (
    id TEXT PRIMARY KEY,
    field_id TEXT NULL,
    device_id TEXT NULL,
    scope TEXT NOT NULL,
    area TEXT NOT NULL,
    subject TEXT NOT NULL,
    key BYTEA NULL,
    condition TEXT NOT NULL,
    condition_key TEXT NOT NULL,
    condition_identity BIGINT NOT NULL,
    template_id TEXT NOT NULL,
    template_version BIGINT NOT NULL,
    risk TEXT NOT NULL,
    level TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    device_time BIGINT NULL,
    position BIGINT NOT NULL,
    correlation_id TEXT NOT NULL,
    evidence BYTEA NOT NULL,
    cleared_at BIGINT NULL,
    status TEXT NOT NULL,
    closed_as TEXT NULL,
    handled_at BIGINT NULL,
    handled_by BYTEA NULL,
    note BYTEA NULL
);

CREATE INDEX finding_by_field ON finding (field_id, position, id);
CREATE INDEX finding_raised ON finding (subject, condition_identity) WHERE cleared_at IS NULL;

CREATE TABLE field_template (
    field_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    template_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (field_id, revision)
);
