-- A secret that was handed out and not used yet: it is as good as the one before, until its first use ends that one.
ALTER TABLE device ADD COLUMN new_secret_hash BLOB NULL;

-- Who wants a device to renew its secret, and by when. renewed_at is set when it has.
CREATE TABLE secret_order (
    device_id TEXT NOT NULL REFERENCES device (device_id) ON DELETE CASCADE,
    holder TEXT NOT NULL,
    before_at BIGINT NOT NULL,
    renewed_at BIGINT NULL,
    PRIMARY KEY (device_id, holder)
);
