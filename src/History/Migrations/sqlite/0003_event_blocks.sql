-- What detection was shown beside messages, for replays: encoded (Store/EventFormat.cs) and encrypted. id: journal position of the first event.
-- field_id '' holds the clock and what belongs to no field.
CREATE TABLE event_block (
    field_id TEXT NOT NULL,
    id BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    events BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (field_id, id)
);

CREATE INDEX event_block_time ON event_block (field_id, last_at, id);

-- Replays read a field's chunks in the order of the journal.
CREATE INDEX message_chunk_field ON message_chunk (field_id, id);
