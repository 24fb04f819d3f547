-- What happened, kept by the History stage. Times: Unix milliseconds UTC.

-- Received messages of one field, encoded (Store/ChunkFormat.cs) and encrypted. id: journal position of the first one.
-- device_id, correlation_id: set when all messages share it. correlations: filter over their correlation ids (Store/CorrelationFilter.cs).
CREATE TABLE message_chunk (
    id INTEGER PRIMARY KEY,
    field_id TEXT NOT NULL,
    backlog BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    devices BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    device_id TEXT NULL,
    correlation_id TEXT NULL,
    correlations BLOB NOT NULL,
    data BLOB NOT NULL
);

-- By time for lists and for deletion by age; by duration because the longest one bounds every search by time.
CREATE INDEX message_chunk_time ON message_chunk (field_id, last_at, id);
CREATE INDEX message_chunk_span ON message_chunk (field_id, (last_at - first_at));

-- Which chunks hold messages of a device. The time stands in the key so that search and deletion by age are ranges.
CREATE TABLE message_index (
    device_id TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    chunk_id BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (device_id, last_at, chunk_id)
) WITHOUT ROWID;

CREATE TABLE history_record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    field_id TEXT NULL,
    device_id TEXT NULL,
    actor TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    subject TEXT NULL,
    details BLOB NULL
);

CREATE INDEX history_record_time ON history_record (field_id, at, id);
CREATE INDEX history_record_kind ON history_record (field_id, kind, at, id);
CREATE INDEX history_record_device ON history_record (device_id, field_id, at, id) WHERE device_id IS NOT NULL;
CREATE INDEX history_record_correlation ON history_record (correlation_id, field_id, at, id) WHERE correlation_id <> '';
CREATE INDEX history_record_out ON history_record (subject, field_id, at, id) WHERE kind = 'data-out';

-- How many messages of a field were accepted, were repeats, and reached each terminal state.
CREATE TABLE ledger (
    field_id TEXT NOT NULL,
    state TEXT NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (field_id, state)
);
