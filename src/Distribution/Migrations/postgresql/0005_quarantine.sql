-- Devices whose messages wait at the gateway. A row ends by itself at its time; forward says what becomes then of what waits.
CREATE TABLE quarantine (
    device_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    field_id TEXT NOT NULL,
    until BIGINT NOT NULL,
    forward BIGINT NOT NULL,
    PRIMARY KEY (device_id, holder)
);

-- In the state "quarantined" a row holds messages of this one device only; it is out of the queue and in nobody's way.
ALTER TABLE outbox ADD COLUMN held_device TEXT NULL;

CREATE INDEX outbox_held ON outbox (field_id, chunk_id, from_index) WHERE state = 'quarantined';

CREATE INDEX outbox_held_device ON outbox (held_device) WHERE state = 'quarantined';
