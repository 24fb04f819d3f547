-- document is the encrypted JSON of the carrier's address, credentials, template and limits.
CREATE TABLE sim_provider (
    field_id TEXT NOT NULL PRIMARY KEY,
    document BLOB NOT NULL,
    changed_at BIGINT NOT NULL
);
-- finger is a keyed hash of carrier and SIM: a SIM belongs to one field. names is the encrypted JSON of what the SIM is called.
-- told_until is up to when its traffic was told to detection.
CREATE TABLE sim_card (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    finger BLOB NOT NULL,
    names BLOB NOT NULL,
    told_until BIGINT NULL
);
CREATE UNIQUE INDEX sim_card_finger ON sim_card (finger);
CREATE TABLE sim_link (
    device_id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL,
    card_id TEXT NOT NULL
);
CREATE INDEX sim_link_card ON sim_link (card_id);
-- What a lease asked of a SIM, written before the order goes out. before_state is how the SIM was before the first response that switched it off.
CREATE TABLE sim_order (
    lease_id TEXT NOT NULL PRIMARY KEY,
    card_id TEXT NOT NULL,
    before_state TEXT NOT NULL,
    wanted TEXT NOT NULL,
    owned BIGINT NOT NULL,
    asked_at BIGINT NOT NULL
);
CREATE INDEX sim_order_card ON sim_order (card_id);
