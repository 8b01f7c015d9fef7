-- The trusted time when the store was last in use, in nanoseconds since 1970. One row, or none.
CREATE TABLE last_use (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at       INTEGER NOT NULL
) STRICT;

-- The events whose age does not count from `created_at`, since that lies in the future or is of a
-- clock that was never set: from when it counts instead. In a table of its own, since they are few.
CREATE TABLE misdated (
    id        BLOB    PRIMARY KEY,
    feed      INTEGER NOT NULL,
    aged_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX misdated_by_age ON misdated (feed, aged_from);

-- One look for each feed, on its index.
INSERT INTO misdated (id, feed, aged_from)
SELECT event.id, event.feed, unixepoch() * 1000000000
FROM feed CROSS JOIN event INDEXED BY event_by_created_at
WHERE event.feed = feed.key AND event.created_at > unixepoch() * 1000000000;
