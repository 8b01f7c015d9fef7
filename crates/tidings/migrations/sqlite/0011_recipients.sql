-- An event can be published to several owners. Each has a row, and all share one content. `shared` is null for an event
-- that was published to one owner; empty if the event went to several and this row has its own content; otherwise the key
-- of its content, and then `description` is empty and `metadata` null.
ALTER TABLE event ADD COLUMN shared BLOB;

-- `rows`: how many rows of `event` have it.
CREATE TABLE IF NOT EXISTS shared_content (
    key         BLOB    PRIMARY KEY,
    description TEXT    NOT NULL,
    metadata    TEXT,
    rows        INTEGER NOT NULL
) STRICT;

-- The owners who got an event together: one row for each id and publisher. `content` and `severity` are as new owners get
-- them, `members` is the number of rows of `event` whose `shared` is not null.
CREATE TABLE IF NOT EXISTS audience (
    key          BLOB    PRIMARY KEY,
    id           BLOB    NOT NULL,
    system_id    BLOB    NOT NULL,
    content      BLOB,
    digest       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    severity     TEXT    NOT NULL,
    sequence     INTEGER,
    retracted_at INTEGER,
    members      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS audience_by_id ON audience (id, system_id);
CREATE INDEX IF NOT EXISTS audience_by_content ON audience (content) WHERE content IS NOT NULL;
CREATE INDEX IF NOT EXISTS audience_by_retraction ON audience (retracted_at) WHERE retracted_at IS NOT NULL;

-- What the way down has kept, if the lists are made again.
CREATE TABLE IF NOT EXISTS kept_shared (
    event  INTEGER PRIMARY KEY,
    shared BLOB    NOT NULL
) STRICT;

UPDATE event SET shared = kept_shared.shared
FROM kept_shared WHERE event.key = kept_shared.event;

-- The numbers are counted again, like all others.
UPDATE shared_content SET rows = 0;
UPDATE shared_content SET rows = counted.number
FROM (SELECT shared, count(*) AS number FROM kept_shared GROUP BY shared) AS counted
WHERE shared_content.key = counted.shared;
UPDATE audience SET members = 0;
UPDATE audience SET members = counted.number
FROM (SELECT event.id, event.system_id, count(*) AS number FROM kept_shared
      JOIN event ON event.key = kept_shared.event GROUP BY event.id, event.system_id) AS counted
WHERE audience.id = counted.id AND audience.system_id = counted.system_id;
DELETE FROM audience WHERE members = 0 AND retracted_at IS NULL;
DELETE FROM shared_content WHERE rows = 0 AND NOT EXISTS (
    SELECT 1 FROM audience WHERE audience.content = shared_content.key
);

DROP TABLE kept_shared;
