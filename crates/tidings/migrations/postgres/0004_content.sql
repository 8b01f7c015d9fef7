-- The publisher of an event can replace its content. `content_rev` is null until the first time and then the rev of
-- the last one; `sequence` is the publisher's number of it, if it has one.
ALTER TABLE event ADD COLUMN content_rev bigint;
ALTER TABLE event ADD COLUMN sequence bigint;
CREATE UNIQUE INDEX event_by_content_rev ON event (owner, content_rev) WHERE content_rev IS NOT NULL;

-- The updates of the last minutes, from which another node makes the frames of a feed. A node of the version before does
-- not find them among the other changes, and its subscribers read the store.
CREATE TABLE recent_update (
    owner           uuid     NOT NULL,
    rev             bigint   NOT NULL,
    id              uuid     NOT NULL,
    severity_before smallint NOT NULL,
    status_before   smallint NOT NULL,
    status_after    smallint NOT NULL,
    at              bigint   NOT NULL,
    -- When it was noted, by the clock of the database.
    noted_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, rev)
);
CREATE INDEX recent_update_by_time ON recent_update (noted_at);
