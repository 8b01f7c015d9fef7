-- An event can be published to several owners. Each has a row, and all share one content. `shared` is null for an event
-- that was published to one owner; nil if the event went to several and this row has its own content; otherwise the key of
-- its content, and then `description` is empty and `metadata` null.
ALTER TABLE event ADD COLUMN shared uuid;
CREATE INDEX event_by_audience ON event (id, owner) WHERE shared IS NOT NULL;

-- `rows`: how many rows of `event` have it.
CREATE TABLE shared_content (
    key         uuid   PRIMARY KEY,
    description text COLLATE "C" NOT NULL,
    folded      text COLLATE "C",
    metadata    text COLLATE "C",
    rows        bigint NOT NULL
);

-- The owners who got an event together: one row for each id and publisher. It is locked after the feeds, in the order of the
-- ids. `content` and `severity` are as new owners get them, `members` is the number of rows of `event` whose `shared` is
-- not null.
CREATE TABLE audience (
    id           uuid     NOT NULL,
    system_id    uuid     NOT NULL,
    key          uuid     NOT NULL,
    content      uuid,
    digest       bytea    NOT NULL,
    created_at   bigint   NOT NULL,
    severity     smallint NOT NULL,
    sequence     bigint,
    retracted_at bigint,
    members      bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (id, system_id)
);
CREATE UNIQUE INDEX audience_by_key ON audience (key);
CREATE INDEX audience_by_content ON audience (content) WHERE content IS NOT NULL;
CREATE INDEX audience_by_retraction ON audience (retracted_at) WHERE retracted_at IS NOT NULL;
