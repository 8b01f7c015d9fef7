-- An id names one event of a feed, and no longer one of the whole store: the same event can be
-- published to several owners. SQLite cannot drop a constraint, so the tables are copied. The ids come
-- first in the indexes: most are UUIDv7, so new events of all feeds go to the end.
CREATE TABLE event_by_owner (
    key          INTEGER PRIMARY KEY,
    feed         INTEGER NOT NULL,
    created_rev  INTEGER NOT NULL,
    changed_rev  INTEGER,
    id           BLOB    NOT NULL,
    digest       BLOB    NOT NULL,
    system_id    BLOB    NOT NULL,
    operation_id BLOB    NOT NULL,
    acted_upon   BLOB    NOT NULL,
    category     TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    severity     TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    description  TEXT    NOT NULL,
    metadata     TEXT
) STRICT;

-- All columns in their order, so that SQLite copies the rows as they are.
INSERT INTO event_by_owner SELECT * FROM event;
DROP TABLE event;
ALTER TABLE event_by_owner RENAME TO event;

CREATE UNIQUE INDEX event_by_id ON event (id, feed);
CREATE UNIQUE INDEX event_by_created_rev ON event (feed, created_rev);
CREATE UNIQUE INDEX event_by_changed_rev ON event (feed, changed_rev) WHERE changed_rev IS NOT NULL;
CREATE INDEX event_by_created_at ON event (feed, created_at, id);
CREATE INDEX event_by_kind ON event (feed, status, severity, created_at, id);
CREATE INDEX event_by_kind_updated ON event (feed, status, severity, updated_at, id);

CREATE TABLE tombstone_by_owner (
    id          BLOB    NOT NULL,
    feed        INTEGER NOT NULL,
    created_rev INTEGER NOT NULL,
    deleted_rev INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    deleted_at  INTEGER NOT NULL,
    PRIMARY KEY (id, feed)
) STRICT, WITHOUT ROWID;

INSERT INTO tombstone_by_owner SELECT * FROM tombstone;
DROP TABLE tombstone;
ALTER TABLE tombstone_by_owner RENAME TO tombstone;

CREATE UNIQUE INDEX tombstone_by_rev ON tombstone (feed, deleted_rev);
CREATE INDEX tombstone_by_time ON tombstone (deleted_at);

CREATE TABLE misdated_by_owner (
    id        BLOB    NOT NULL,
    feed      INTEGER NOT NULL,
    aged_from INTEGER NOT NULL,
    PRIMARY KEY (id, feed)
) STRICT, WITHOUT ROWID;

INSERT INTO misdated_by_owner SELECT * FROM misdated;
DROP TABLE misdated;
ALTER TABLE misdated_by_owner RENAME TO misdated;

CREATE INDEX misdated_by_age ON misdated (feed, aged_from);
