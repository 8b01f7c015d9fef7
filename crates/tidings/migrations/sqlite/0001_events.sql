-- The installation: its id and its present epoch, 16 bytes each. One row.
CREATE TABLE installation (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    system_id BLOB NOT NULL,
    epoch     BLOB NOT NULL
) STRICT;

-- One row per owner. `head` is the rev of the newest change; a cursor below `floor` cannot be
-- replayed from.
CREATE TABLE feed (
    key   INTEGER PRIMARY KEY,
    owner BLOB    NOT NULL UNIQUE,
    head  INTEGER NOT NULL,
    floor INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row per event. `created_rev` never moves; `changed_rev` is null until the first change of
-- status or deletion and then the rev of the last one. Times are nanoseconds since 1970.
CREATE TABLE event (
    key          INTEGER PRIMARY KEY,
    feed         INTEGER NOT NULL,
    created_rev  INTEGER NOT NULL,
    changed_rev  INTEGER,
    id           BLOB    NOT NULL UNIQUE,
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

CREATE UNIQUE INDEX event_by_created_rev ON event (feed, created_rev);
CREATE UNIQUE INDEX event_by_changed_rev ON event (feed, changed_rev) WHERE changed_rev IS NOT NULL;
CREATE INDEX event_by_created_at ON event (feed, created_at, id);

-- How many events of a feed have a severity and status; changed in the same transaction as they.
CREATE TABLE counter (
    feed     INTEGER NOT NULL,
    severity TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (feed, severity, status)
) STRICT, WITHOUT ROWID;
