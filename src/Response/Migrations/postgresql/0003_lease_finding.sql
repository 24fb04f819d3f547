-- What a finding ordered is looked up when it is taken back.
CREATE INDEX lease_finding ON lease (finding_id) WHERE finding_id IS NOT NULL;
