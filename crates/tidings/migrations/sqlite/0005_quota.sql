-- How many bytes the events of a feed take, and how many of its deletions are remembered; changed in
-- the same transaction as they. The events of an older version are measured in the background: those
-- after `measured_rev` up to `measure_to` are not in `bytes` yet.
ALTER TABLE feed ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN deletions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN measured_rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN measure_to INTEGER NOT NULL DEFAULT 0;

UPDATE feed SET measure_to = head, deletions = (
    SELECT count(*) FROM tombstone INDEXED BY tombstone_by_rev WHERE tombstone.feed = feed.key
);

-- The queries that use these repeat their conditions.
CREATE INDEX feed_to_measure ON feed (key) WHERE measured_rev < measure_to;
CREATE INDEX feed_to_forget ON feed (deletions) WHERE deletions > 1000;
