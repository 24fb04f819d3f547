-- Devices that responses let send less than their field allows. Each row ends by itself at its time.
CREATE TABLE restriction (
    device_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    per_minute DOUBLE PRECISION NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (device_id, holder)
);
