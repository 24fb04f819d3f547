-- Addresses of senders are encrypted from now on. Tokens and open conflicts with an address in clear go; devices authenticate again by themselves.
DELETE FROM token;
DELETE FROM pending_binding;
ALTER TABLE token DROP COLUMN source;
ALTER TABLE token ADD COLUMN source BLOB NOT NULL DEFAULT x'';
ALTER TABLE pending_binding DROP COLUMN source;
ALTER TABLE pending_binding ADD COLUMN source BLOB NOT NULL DEFAULT x'';

-- Identifiers of deleted fields. Their history, destination and recipients stand under the identifier, so no other field ever gets it.
CREATE TABLE deleted_field (
    field_id TEXT PRIMARY KEY,
    deleted_at BIGINT NOT NULL
);
