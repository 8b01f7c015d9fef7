-- Back to the schema of version 7 with empty lists, which the next start fills from the events.
DROP TABLE listed;

CREATE TABLE listed (
    feed  INTEGER NOT NULL,
    list  INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    id    BLOB    NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (feed, list, at, id)
) STRICT, WITHOUT ROWID;

-- The bytes are measured again in the background, like those of an older version.
UPDATE feed SET listed_rev = 0, counts = x'', newest = x'',
    bytes = 0, measured_rev = 0, measure_to = head, deletions = (
        SELECT count(*) FROM tombstone INDEXED BY tombstone_by_rev WHERE tombstone.feed = feed.key
    );
DELETE FROM type_counter;

CREATE TABLE listing (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    feed     INTEGER NOT NULL
) STRICT;

INSERT INTO listing (only_row, feed) VALUES (1, 0);

CREATE UNIQUE INDEX event_by_created_rev ON event (feed, created_rev);
