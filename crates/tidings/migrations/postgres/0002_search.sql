-- The search index of long feeds. A block is a run of events, with a Bloom filter that says which runs of one, two
-- and three letters their descriptions may contain. The filters are stored as they are, because compressed ones
-- would have to be expanded for each search.

CREATE TABLE search_block (
    owner     uuid   NOT NULL,
    last_rev  bigint NOT NULL,
    first_rev bigint NOT NULL,
    -- The times of creation of its events, as far as they go.
    oldest    bigint NOT NULL,
    newest    bigint NOT NULL,
    grams     bytea  NOT NULL,
    PRIMARY KEY (owner, last_rev)
);
ALTER TABLE search_block ALTER COLUMN grams SET STORAGE PLAIN;

-- How far the blocks of a feed go. Feeds without blocks have no row.
CREATE TABLE search_feed (
    owner        uuid   PRIMARY KEY,
    searched_rev bigint NOT NULL
);
