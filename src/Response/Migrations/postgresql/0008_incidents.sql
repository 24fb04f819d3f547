-- Findings about one device or of one cause, as one thing that people work on. document (title words, people, notes, counters) is encrypted, so are the
-- lines of the timeline; keys and assignee are keyed hashes. label is what still has to be handed on to the findings, empty for nothing.
CREATE TABLE incident (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    field_id TEXT NOT NULL,
    state TEXT NOT NULL,
    level TEXT NOT NULL,
    closed_as TEXT NULL,
    assignee TEXT NULL,
    label TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    closed_at BIGINT NULL,
    release_asked_at BIGINT NULL,
    recovered_at BIGINT NULL,
    findings BIGINT NOT NULL,
    retracted BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    document BYTEA NOT NULL
);
CREATE INDEX incident_field ON incident (field_id, opened_at);
CREATE INDEX incident_label ON incident (label) WHERE label <> '';
CREATE INDEX incident_recovering ON incident (release_asked_at) WHERE release_asked_at IS NOT NULL AND recovered_at IS NULL;
CREATE TABLE incident_finding (
    finding_id TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL,
    device_id TEXT NULL,
    condition_key TEXT NOT NULL,
    level TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    retracted BIGINT NOT NULL,
    label TEXT NOT NULL
);
CREATE INDEX incident_finding_label ON incident_finding (incident_id, label);
CREATE INDEX incident_finding_device ON incident_finding (incident_id, device_id);
CREATE INDEX incident_finding_of_device ON incident_finding (device_id, incident_id);
-- By what the next finding is recognised as one of the same incident: its device, its cause, its condition within a short time.
CREATE TABLE incident_key (
    key TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE TABLE incident_entry (
    incident_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    document BYTEA NOT NULL,
    PRIMARY KEY (incident_id, seq)
);
