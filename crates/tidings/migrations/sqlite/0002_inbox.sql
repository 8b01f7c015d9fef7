-- How far the index for searching goes, in revs; what is after it is read as it is.
ALTER TABLE feed ADD COLUMN searched_rev INTEGER NOT NULL DEFAULT 0;

-- The feeds of which enough is not in that index yet. The query that uses it repeats the condition.
CREATE INDEX feed_to_index ON feed (key) WHERE head - searched_rev >= 512;

CREATE INDEX event_by_kind ON event (feed, status, severity, created_at, id);
CREATE INDEX event_by_kind_updated ON event (feed, status, severity, updated_at, id);

-- What is left of a deleted event: enough to replay the deletion, and to know its id again.
CREATE TABLE tombstone (
    id          BLOB    PRIMARY KEY,
    feed        INTEGER NOT NULL,
    created_rev INTEGER NOT NULL,
    deleted_rev INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    deleted_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tombstone_by_rev ON tombstone (feed, deleted_rev);
CREATE INDEX tombstone_by_time ON tombstone (deleted_at);

-- What a user did to an event of the system. `feed` is the user's, `changed_rev` a rev of that feed,
-- `system_rev` the event's place in the system's feed, which no other event ever has.
CREATE TABLE overlay (
    feed        INTEGER NOT NULL,
    system_rev  INTEGER NOT NULL,
    changed_rev INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    deleted     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (feed, system_rev)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX overlay_by_rev ON overlay (feed, changed_rev);
CREATE INDEX overlay_by_event ON overlay (system_rev);

-- The events of the system that are gone and whose overlays, of which there may be millions, are not
-- all gone yet. Until then counts take those off.
CREATE TABLE ended (
    system_rev INTEGER PRIMARY KEY,
    severity   TEXT    NOT NULL
) STRICT;

-- How many of the system's events of a severity a user has read and kept, and how many deleted;
-- changed in the same transaction as they.
CREATE TABLE overlay_counter (
    feed     INTEGER NOT NULL,
    severity TEXT    NOT NULL,
    read     INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    PRIMARY KEY (feed, severity)
) STRICT, WITHOUT ROWID;

-- How many events of a feed have a category and an action; changed in the same transaction as they.
CREATE TABLE type_counter (
    feed     INTEGER NOT NULL,
    category TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (feed, category, action)
) STRICT, WITHOUT ROWID;

INSERT INTO type_counter (feed, category, action, number)
SELECT feed, category, action, count(*) FROM event GROUP BY feed, category, action;

-- Which runs of letters occur in the descriptions of consecutive events of a feed, so that a search
-- passes over those that cannot match. `oldest` and `newest` bound the times they were created.
CREATE TABLE search_block (
    key       INTEGER PRIMARY KEY,
    feed      INTEGER NOT NULL,
    first_rev INTEGER NOT NULL,
    last_rev  INTEGER NOT NULL,
    oldest    INTEGER NOT NULL,
    newest    INTEGER NOT NULL,
    grams     BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX search_block_by_rev ON search_block (feed, last_rev);
