-- field_id is '' for the gateway itself. document is the encrypted JSON of recipients, webhook address and its secret.
CREATE TABLE notification (
    field_id TEXT NOT NULL PRIMARY KEY,
    document BYTEA NOT NULL,
    changed_at BIGINT NOT NULL
);
