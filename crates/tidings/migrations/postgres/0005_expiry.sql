-- An event can be deleted at a time that its publisher sets. Only events with such a time are in the index.
ALTER TABLE event ADD COLUMN expires_at bigint;
CREATE INDEX event_by_expiry ON event (expires_at) WHERE expires_at IS NOT NULL;
