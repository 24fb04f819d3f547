-- Every version of a script that was ever taken, as it came.
CREATE TABLE script_version (
    field_id TEXT NOT NULL,
    script_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (field_id, script_id, version)
);

-- What is in force and how it fares. Belongs to the lanes' state: written in their transaction, so that it stands at their position.
CREATE TABLE detection_script (
    field_id TEXT NOT NULL,
    script_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    body BYTEA NOT NULL,
    in_a_row BIGINT NOT NULL,
    faults BIGINT NOT NULL,
    last_fault BYTEA NULL,
    is_off BIGINT NOT NULL,
    worker_state BYTEA NULL,
    PRIMARY KEY (field_id, script_id)
);

-- Each time that one was put in force or withdrawn: what was before, to go back to.
CREATE TABLE script_turn (
    field_id TEXT NOT NULL,
    script_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (field_id, script_id, position)
);
