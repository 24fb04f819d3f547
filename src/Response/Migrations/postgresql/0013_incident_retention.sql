-- Closed incidents go after a time. The incident goes first, with what the next finding would recognise it by; its lines and links go in portions after that, and what is
-- listed here is not all gone yet.
CREATE TABLE incident_removal (
    incident_id TEXT NOT NULL PRIMARY KEY
);
CREATE INDEX incident_closed ON incident (closed_at) WHERE state = 'closed';
CREATE INDEX incident_key_incident ON incident_key (incident_id);
