-- The publisher of an event can replace its content. `content_rev` is null until the first time and then the rev of
-- the last one; `sequence` is the publisher's number of it, if it has one.
ALTER TABLE event ADD COLUMN content_rev INTEGER;
ALTER TABLE event ADD COLUMN sequence INTEGER;

-- What the way down has kept, if the lists are made again.
CREATE TABLE IF NOT EXISTS kept_content (
    event       INTEGER PRIMARY KEY,
    content_rev INTEGER NOT NULL,
    sequence    INTEGER
) STRICT;

UPDATE event SET content_rev = kept_content.content_rev, sequence = kept_content.sequence
FROM kept_content WHERE event.key = kept_content.event;

INSERT INTO listed (feed, list, at, id, event)
SELECT event.feed, 35, event.content_rev, x'', event.key
FROM kept_content CROSS JOIN event ON event.key = kept_content.event;

DROP TABLE kept_content;
