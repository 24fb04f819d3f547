-- A device that asks for its commands looks at the open ones only, however many it had before.
CREATE INDEX command_open ON command (device_id, number) WHERE ends_at IS NOT NULL;
