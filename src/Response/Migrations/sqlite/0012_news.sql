-- How far people were told of changes of settings and of incidents. field_id is '' for the gateway itself. position is one of the history; of stream 'overdue' it is a time.
CREATE TABLE news_mark (
    stream TEXT NOT NULL,
    field_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (stream, field_id)
);
-- Who was a recipient before each change of recipients, encrypted.
CREATE TABLE notification_former (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX notification_former_field ON notification_former (field_id, at);
CREATE INDEX incident_due ON incident (due_at) WHERE closed_at IS NULL;
