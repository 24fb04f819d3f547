-- The response rules that a field has made its own, each change a revision that stays. document holds the rules, who changed them and why, encrypted;
-- no rules in it means that those of the field's template are in force again.
CREATE TABLE response_rules (
    field_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    document BLOB NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (field_id, revision)
);
