-- What a commit changed in the lanes, in pieces of at most 1 MiB; deleted when lane_subject holds everything of it.
CREATE TABLE lane_delta (
    position BIGINT NOT NULL,
    part BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (position, part)
);

-- Journal position up to which the state is complete; deltas up to there say nothing new of the subject.
ALTER TABLE lane_subject ADD COLUMN delta BIGINT NOT NULL DEFAULT 0;
