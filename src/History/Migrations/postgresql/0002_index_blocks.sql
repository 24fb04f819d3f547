-- The index of messages by device in blocks that merge many chunks of a device. It is derived from message_chunk: what is above the mark is
-- read again at start, so a mark of 0 builds it anew.
DROP TABLE message_index;

-- data: Store/IndexBlock.cs. last_at, last_chunk: latest arrival and highest chunk in the block; no block spans more than IndexBlock.MostSpan.
CREATE TABLE message_index_block (
    device_id TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    last_chunk BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (device_id, last_at, last_chunk)
);

-- By chunk, to know at start what of a device is written, and so that deletion by age is a range over all devices.
CREATE INDEX message_index_block_chunk ON message_index_block (last_chunk);

-- One row. All messages of the chunks up to this one are in blocks.
CREATE TABLE message_index_mark (
    chunk_id BIGINT NOT NULL
);

INSERT INTO message_index_mark (chunk_id) VALUES (0);
