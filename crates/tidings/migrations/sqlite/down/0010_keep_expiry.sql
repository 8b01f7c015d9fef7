-- Keeps the column that version 9 does not have.
CREATE TABLE kept_expiry (
    event      INTEGER PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

INSERT INTO kept_expiry (event, expires_at)
SELECT key, expires_at FROM event INDEXED BY event_by_expiry WHERE expires_at IS NOT NULL;

DROP INDEX event_by_expiry;
ALTER TABLE event DROP COLUMN expires_at;
