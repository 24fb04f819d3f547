-- Response scripts look at what was found lately about one device.
CREATE INDEX finding_by_device ON finding (device_id, raised_at) WHERE device_id IS NOT NULL;
