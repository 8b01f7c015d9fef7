-- The owner is the first column of every primary key and unique index of what an owner has, so that the tables
-- can be distributed by owner. Times are nanoseconds since 1970, because timestamptz has microseconds only.
-- Numbers stand for words: severity 0 (emergency) to 7 (debug), status 0 (unread) or 1 (read).

CREATE TABLE installation (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    system_id uuid NOT NULL,
    epoch     uuid NOT NULL
);

-- One row for each feed. It is locked by who changes the feed, in the order of owners.
CREATE TABLE feed (
    owner           uuid     PRIMARY KEY,
    head            bigint   NOT NULL DEFAULT 0,
    floor           bigint   NOT NULL DEFAULT 0,
    bytes           bigint   NOT NULL DEFAULT 0,
    deletions       bigint   NOT NULL DEFAULT 0,
    -- By severity * 2 + status.
    counts          bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[16]),
    -- What the owner's overlays take from the counts of the system's feed, by severity.
    overlay_read    bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[8]),
    overlay_deleted bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[8])
) WITH (fillfactor = 50);
-- The owners who may have too many deletions. The query that uses it repeats the condition.
CREATE INDEX feed_to_forget ON feed (owner) WHERE deletions > 1000;

CREATE TABLE event (
    owner        uuid     NOT NULL,
    id           uuid     NOT NULL,
    created_rev  bigint   NOT NULL,
    changed_rev  bigint,
    severity     smallint NOT NULL,
    status       smallint NOT NULL,
    created_at   bigint   NOT NULL,
    updated_at   bigint   NOT NULL,
    -- The time from which its age counts, if not from its creation.
    aged_from    bigint,
    system_id    uuid     NOT NULL,
    operation_id uuid     NOT NULL,
    acted_upon   uuid     NOT NULL,
    category     text COLLATE "C" NOT NULL,
    action       text COLLATE "C" NOT NULL,
    description  text COLLATE "C" NOT NULL,
    -- The description without its case, folded by the program, if lower() gives another text for "C".
    folded       text COLLATE "C",
    metadata     text COLLATE "C",
    digest       bytea    NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX event_by_created_rev ON event (owner, created_rev);
CREATE UNIQUE INDEX event_by_changed_rev ON event (owner, changed_rev) WHERE changed_rev IS NOT NULL;
CREATE INDEX event_by_created_at ON event (owner, created_at, id);
CREATE INDEX event_by_kind ON event (owner, severity, status, created_at, id);
CREATE INDEX event_by_kind_updated ON event (owner, severity, status, updated_at, id);
CREATE INDEX event_by_type ON event (owner, category, action);
CREATE INDEX event_by_age ON event (owner, aged_from) WHERE aged_from IS NOT NULL;

-- What remains of a deleted event.
CREATE TABLE tombstone (
    owner       uuid   NOT NULL,
    id          uuid   NOT NULL,
    created_rev bigint NOT NULL,
    deleted_rev bigint NOT NULL,
    digest      bytea  NOT NULL,
    created_at  bigint NOT NULL,
    deleted_at  bigint NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX tombstone_by_rev ON tombstone (owner, deleted_rev);
CREATE INDEX tombstone_by_time ON tombstone (deleted_at);

-- What one user did to a system event. It goes with the event.
CREATE TABLE overlay (
    owner       uuid     NOT NULL,
    system_rev  bigint   NOT NULL,
    changed_rev bigint   NOT NULL,
    severity    smallint NOT NULL,
    status      smallint NOT NULL,
    deleted     boolean  NOT NULL,
    updated_at  bigint   NOT NULL,
    PRIMARY KEY (owner, system_rev)
);
CREATE UNIQUE INDEX overlay_by_rev ON overlay (owner, changed_rev);
CREATE INDEX overlay_by_event ON overlay (system_rev);

-- The deleted system events whose overlays are not removed yet. The owner is the system.
CREATE TABLE ended (
    owner      uuid     NOT NULL,
    system_rev bigint   NOT NULL,
    severity   smallint NOT NULL,
    -- By the clock of the database. Other nodes read the overlays for a minute. 0 once the first is removed.
    ended_at   bigint   NOT NULL DEFAULT (extract(epoch FROM now()) * 1000000000)::bigint,
    PRIMARY KEY (owner, system_rev)
);
CREATE INDEX ended_by_time ON ended (ended_at);

-- The marks and deletions of the last minutes, from which another node makes the frames of a feed, with the
-- counts that each changes. A change that is not here is read like any older one.
CREATE TABLE recent_change (
    owner          uuid     NOT NULL,
    rev            bigint   NOT NULL,
    -- The first rev of its frame: the changes of one step are told together.
    step           bigint   NOT NULL,
    id             uuid     NOT NULL,
    -- The position of the event in the system's feed, if it is the system's.
    system_rev     bigint,
    severity       smallint NOT NULL,
    -- The status before, and after; null after a deletion.
    before         smallint NOT NULL,
    after          smallint,
    -- The time and the position of the change before, of the event or the user's overlay of it.
    updated_before bigint   NOT NULL,
    changed_before bigint,
    at             bigint   NOT NULL,
    -- When it was noted, by the clock of the database.
    noted_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, rev)
);
CREATE INDEX recent_change_by_time ON recent_change (noted_at);

CREATE TABLE last_use (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at       bigint NOT NULL
);
