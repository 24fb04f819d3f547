-- field_id is '' for the gateway itself. details holds everything that names persons, reasons and addresses, encrypted.
-- next_try_at is when the queue next has to look at the lease: due, retry, end of a claim, expiry; null when nothing is to come.
CREATE TABLE lease (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    finding_id TEXT NULL,
    field_id TEXT NOT NULL,
    device_id TEXT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    risk TEXT NOT NULL,
    level TEXT NOT NULL,
    condition TEXT NOT NULL,
    approval TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT NULL,
    ended_at BIGINT NULL,
    expires_at BIGINT NULL,
    attempts BIGINT NOT NULL,
    next_try_at BIGINT NULL,
    undo_asked_at BIGINT NULL,
    holds BIGINT NOT NULL,
    held BIGINT NOT NULL,
    group_key TEXT NULL,
    claimed_by TEXT NULL,
    correlation_id TEXT NOT NULL,
    details BYTEA NOT NULL
);
CREATE INDEX lease_queue ON lease (action, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX lease_target ON lease (action, field_id, target, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX lease_field ON lease (field_id, created_at, id);
CREATE INDEX lease_device ON lease (device_id, created_at) WHERE device_id IS NOT NULL;
CREATE INDEX lease_sent ON lease (action, field_id, target, ended_at);
CREATE INDEX lease_group ON lease (group_key) WHERE group_key IS NOT NULL;
