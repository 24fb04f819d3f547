-- What devices are asked to do. number is the order per device. sender and repeat_key are keyed hashes; content is one encrypted JSON object: sender, arguments, answer.
-- ends_at is when time runs out for an open command; null for a settled one.
CREATE TABLE command (
    id             TEXT NOT NULL PRIMARY KEY,
    field_id       TEXT NOT NULL,
    device_id      TEXT NOT NULL,
    number         BIGINT NOT NULL,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    sender         BLOB NOT NULL,
    repeat_key     BLOB NULL,
    holder         TEXT NULL,
    state          TEXT NOT NULL,
    bound          TEXT NULL,
    told           BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    valid_until    BIGINT NOT NULL,
    fetched_at     BIGINT NULL,
    ended_at       BIGINT NULL,
    ends_at        BIGINT NULL,
    correlation_id TEXT NOT NULL,
    content        BLOB NOT NULL
);

CREATE UNIQUE INDEX command_order ON command (device_id, number);

CREATE UNIQUE INDEX command_repeat ON command (repeat_key);

CREATE INDEX command_field ON command (field_id, created_at, id);

CREATE INDEX command_device ON command (device_id, created_at);

CREATE INDEX command_sender ON command (sender, created_at);

CREATE INDEX command_holder ON command (holder, number) WHERE holder IS NOT NULL;

CREATE INDEX command_due ON command (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX command_ended ON command (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX command_untold ON command (created_at) WHERE told = 0;

-- Devices whose commands are kept back. Each row ends by itself at its time.
CREATE TABLE command_hold (
    device_id TEXT NOT NULL,
    holder    TEXT NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (device_id, holder)
);

CREATE TABLE command_list (
    field_id   TEXT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Operating mode as the device told it last; encrypted.
CREATE TABLE device_mode (
    device_id TEXT NOT NULL PRIMARY KEY,
    mode      BLOB NOT NULL
);
