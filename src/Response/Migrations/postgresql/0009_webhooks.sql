-- Named webhooks. field_id is '' for the gateway itself. document is the encrypted JSON with address, secret and header fields.
CREATE TABLE webhook (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    document BYTEA NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX webhook_field ON webhook (field_id, made_at);
