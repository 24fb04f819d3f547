-- Where tickets are opened. field_id is '' for the gateway itself. document is the encrypted JSON with addresses, secret and header fields.
CREATE TABLE ticket_desk (
    field_id TEXT NOT NULL PRIMARY KEY,
    document BLOB NOT NULL,
    changed_at BIGINT NOT NULL
);
