-- Keeps the column that version 10 does not have. The tables of recipients stay: no other version has tables of their names.
CREATE TABLE kept_shared (
    event  INTEGER PRIMARY KEY,
    shared BLOB    NOT NULL
) STRICT;

INSERT INTO kept_shared (event, shared)
SELECT key, shared FROM event WHERE shared IS NOT NULL;

ALTER TABLE event DROP COLUMN shared;
