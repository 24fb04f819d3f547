-- Every change of an exception, the present one and those before. Belongs to the lanes' state: written in their transaction.
CREATE TABLE detection_exception_revision (
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    field_id TEXT NULL,
    position BIGINT NOT NULL,
    in_force BIGINT NOT NULL,
    body BYTEA NOT NULL,
    allowed BIGINT NOT NULL,
    allowed_at BIGINT NULL,
    PRIMARY KEY (id, revision)
);

CREATE INDEX detection_exception_by_field ON detection_exception_revision (field_id, position);

-- A keyed hash of what findings of one cause have in common: field, condition, and the claim or else the subject.
ALTER TABLE finding ADD COLUMN cause TEXT NULL;

CREATE INDEX finding_by_cause ON finding (cause, position);
