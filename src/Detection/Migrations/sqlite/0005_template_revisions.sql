-- Who put a revision in force, why, and which version of the template it is. Null in revisions from before this was kept.
-- how: set, restored or upgraded. reason: encrypted.
ALTER TABLE field_template ADD COLUMN template_version BIGINT NULL;
ALTER TABLE field_template ADD COLUMN changed_by TEXT NULL;
ALTER TABLE field_template ADD COLUMN how TEXT NULL;
ALTER TABLE field_template ADD COLUMN reason BLOB NULL;

-- Template files that were imported, and those that ever were in force: a field stays with its version until somebody upgrades it.
CREATE TABLE template_file (
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    origin TEXT NOT NULL,
    body TEXT NOT NULL,
    signer TEXT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    PRIMARY KEY (id, version)
);
