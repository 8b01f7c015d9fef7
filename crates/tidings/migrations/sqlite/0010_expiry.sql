-- An event can be deleted at a time that its publisher sets. Only events with such a time are in the index.
ALTER TABLE event ADD COLUMN expires_at INTEGER;

-- What the way down has kept, if the lists are made again.
CREATE TABLE IF NOT EXISTS kept_expiry (
    event      INTEGER PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

UPDATE event SET expires_at = kept_expiry.expires_at
FROM kept_expiry WHERE event.key = kept_expiry.event;

DROP TABLE kept_expiry;

CREATE INDEX event_by_expiry ON event (expires_at) WHERE expires_at IS NOT NULL;
