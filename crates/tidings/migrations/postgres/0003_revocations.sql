-- Tokens that are refused although they have not expired. They belong to no feed: a reference table.
CREATE TABLE revocation (
    id         text COLLATE "C" PRIMARY KEY,
    -- The token's expiry; null if it is not known.
    expires_at bigint,
    -- The user who ended a session with it.
    ended_by   uuid,
    -- Grows with each revocation, in the order of their commits.
    version    bigint NOT NULL UNIQUE
);
CREATE INDEX revocation_by_expiry ON revocation (expires_at) WHERE expires_at IS NOT NULL;

-- Every revocation locks its row, so that a node that has read up to a version has missed none before it.
CREATE TABLE last_revocation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint NOT NULL
);
INSERT INTO last_revocation (version) VALUES (0);
