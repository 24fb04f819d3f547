-- Receivers of the history (SOC). field_id is '' for the gateway itself. document is the encrypted JSON of the receiver with its key.
CREATE TABLE soc_receiver (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    reports_as TEXT NULL,
    document BYTEA NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX soc_receiver_reporter ON soc_receiver (field_id, reports_as) WHERE reports_as IS NOT NULL;

-- How far each receiver has taken the history. untold: records that were skipped and that the receiver has not been told of.
CREATE TABLE soc_progress (
    receiver_id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    untold BIGINT NOT NULL,
    claimed_by TEXT NULL,
    claimed_until BIGINT NOT NULL
);

-- What a field says of itself to SOCs. shared: receivers of the gateway may have its records too.
CREATE TABLE soc_field (
    field_id TEXT NOT NULL PRIMARY KEY,
    sector TEXT NOT NULL,
    shared BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- What receivers reported back. details holds case, note and name, encrypted.
CREATE TABLE soc_status (
    receiver_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    field_id TEXT NOT NULL,
    finding_id TEXT NULL,
    status TEXT NOT NULL,
    at BIGINT NOT NULL,
    details BYTEA NOT NULL,
    PRIMARY KEY (receiver_id, event_id, number)
);
CREATE INDEX soc_status_finding ON soc_status (finding_id, at) WHERE finding_id IS NOT NULL;
CREATE INDEX soc_status_event ON soc_status (field_id, event_id, at);
