-- One row per group commit. data is an encrypted block of events; bytes is its size.
CREATE TABLE journal_block (
    first_position  INTEGER NOT NULL PRIMARY KEY,
    last_position   BIGINT NOT NULL,
    messages        BIGINT NOT NULL,
    messages_before BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    bytes           BIGINT NOT NULL,
    data            BLOB NOT NULL
);
