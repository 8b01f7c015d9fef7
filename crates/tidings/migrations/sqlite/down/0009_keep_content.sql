-- Keeps the columns that version 8 does not have.
CREATE TABLE kept_content (
    event       INTEGER PRIMARY KEY,
    content_rev INTEGER NOT NULL,
    sequence    INTEGER
) STRICT;

INSERT INTO kept_content (event, content_rev, sequence)
SELECT key, content_rev, sequence FROM event WHERE content_rev IS NOT NULL;

DELETE FROM listed WHERE list = 35;
ALTER TABLE event DROP COLUMN sequence;
ALTER TABLE event DROP COLUMN content_rev;
