CREATE TABLE field_mapping (
    field_id   TEXT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE field_limits (
    field_id   TEXT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- config is one encrypted JSON object: address, headers, secrets, certificate.
CREATE TABLE destination (
    field_id   TEXT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    config     BLOB NOT NULL,
    stopped    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Messages from_index (included) to to_index (excluded) of a chunk. Chunks are numbered by journal position, so the key is the order of arrival.
CREATE TABLE outbox (
    chunk_id   BIGINT NOT NULL,
    from_index BIGINT NOT NULL,
    to_index   BIGINT NOT NULL,
    field_id   TEXT NOT NULL,
    backlog    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    bytes      BIGINT NOT NULL,
    oldest_at  BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    reason     TEXT NULL,
    settled_at BIGINT NULL,
    PRIMARY KEY (chunk_id, from_index)
);

CREATE INDEX outbox_queued ON outbox (field_id, chunk_id, from_index) WHERE state = 'queued';

CREATE INDEX outbox_field ON outbox (field_id, chunk_id, from_index);

CREATE INDEX outbox_dead ON outbox (field_id, chunk_id, from_index) WHERE state = 'dead-lettered';

CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE INDEX outbox_live_first ON outbox (field_id, backlog, chunk_id, from_index) WHERE state = 'queued';
