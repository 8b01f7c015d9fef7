-- The events of a feed are listed in one table, side by side, and its newest events in its row alone, so
-- that an event for one of many owners writes little. The program fills the lists in steps; the next
-- version of the schema has them filled. Their numbers are in `lists.rs`.
CREATE TABLE listed (
    feed  INTEGER NOT NULL,
    list  INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    id    BLOB    NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (feed, list, at, id)
) STRICT, WITHOUT ROWID;

-- `listed_rev`: the events that were created up to it are listed, the others are in `newest`. `counts`: how
-- many events have each severity and status. Both blobs change in the same transaction as their events.
ALTER TABLE feed ADD COLUMN listed_rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN counts BLOB NOT NULL DEFAULT x'';
ALTER TABLE feed ADD COLUMN newest BLOB NOT NULL DEFAULT x'';

-- How far the lists are filled: the last feed of which all events are listed. One row.
CREATE TABLE listing (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    feed     INTEGER NOT NULL
) STRICT;

INSERT INTO listing (only_row, feed) VALUES (1, 0);

-- The lists take their space.
DROP INDEX event_by_changed_rev;
DROP INDEX event_by_created_at;
DROP INDEX event_by_kind;
DROP INDEX event_by_kind_updated;
DROP TABLE counter;
-- Counts listed events only.
DELETE FROM type_counter;
