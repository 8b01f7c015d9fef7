-- A store of schema version 8, with events in lists and in the rows of feeds.
BEGIN;
CREATE TABLE installation (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    system_id BLOB NOT NULL,
    epoch     BLOB NOT NULL
) STRICT;
CREATE TABLE feed (
    key   INTEGER PRIMARY KEY,
    owner BLOB    NOT NULL UNIQUE,
    head  INTEGER NOT NULL,
    floor INTEGER NOT NULL DEFAULT 0
, searched_rev INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, deletions INTEGER NOT NULL DEFAULT 0, measured_rev INTEGER NOT NULL DEFAULT 0, measure_to INTEGER NOT NULL DEFAULT 0, listed_rev INTEGER NOT NULL DEFAULT 0, counts BLOB NOT NULL DEFAULT x'', newest BLOB NOT NULL DEFAULT x'') STRICT;
CREATE TABLE overlay (
    feed        INTEGER NOT NULL,
    system_rev  INTEGER NOT NULL,
    changed_rev INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    deleted     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (feed, system_rev)
) STRICT, WITHOUT ROWID;
CREATE TABLE ended (
    system_rev INTEGER PRIMARY KEY,
    severity   TEXT    NOT NULL
) STRICT;
CREATE TABLE overlay_counter (
    feed     INTEGER NOT NULL,
    severity TEXT    NOT NULL,
    read     INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    PRIMARY KEY (feed, severity)
) STRICT, WITHOUT ROWID;
CREATE TABLE type_counter (
    feed     INTEGER NOT NULL,
    category TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (feed, category, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE search_block (
    key       INTEGER PRIMARY KEY,
    feed      INTEGER NOT NULL,
    first_rev INTEGER NOT NULL,
    last_rev  INTEGER NOT NULL,
    oldest    INTEGER NOT NULL,
    newest    INTEGER NOT NULL,
    grams     BLOB    NOT NULL
) STRICT;
CREATE TABLE last_use (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at       INTEGER NOT NULL
) STRICT;
CREATE TABLE "event" (
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
CREATE TABLE "tombstone" (
    id          BLOB    NOT NULL,
    feed        INTEGER NOT NULL,
    created_rev INTEGER NOT NULL,
    deleted_rev INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    deleted_at  INTEGER NOT NULL,
    PRIMARY KEY (id, feed)
) STRICT, WITHOUT ROWID;
CREATE TABLE "misdated" (
    id        BLOB    NOT NULL,
    feed      INTEGER NOT NULL,
    aged_from INTEGER NOT NULL,
    PRIMARY KEY (id, feed)
) STRICT, WITHOUT ROWID;
CREATE TABLE listed (
    feed  INTEGER NOT NULL,
    list  INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    id    BLOB    NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (feed, list, at, id)
) STRICT, WITHOUT ROWID;
INSERT INTO installation (only_row, system_id, epoch) VALUES (1, X'01a22ac0ea51757790a248caf4953ae0', X'a627d1b9f80f455cbf95452d61c15f6a');
INSERT INTO feed (key, owner, head, floor, searched_rev, bytes, deletions, measured_rev, measure_to, listed_rev, counts, newest) VALUES (1, X'000000000000000000000000a11ce000', 9, 0, 0, 2328, 1, 0, 0, 3, X'0100000000000001000000000101000100', X'01010a6465706c6f796d656e74056170706c790206040880a0a9c6db94b9863100019000000000700080000000000000040e010280e086a48fdfaee8400001900000000070008000000000000005');
INSERT INTO feed (key, owner, head, floor, searched_rev, bytes, deletions, measured_rev, measure_to, listed_rev, counts, newest) VALUES (2, X'000000000000000000000000a11ce001', 1, 0, 0, 537, 0, 0, 0, 0, X'0100000000000000000000000001000000', X'01010a6465706c6f796d656e74056170706c79010c010c80f0d5b9ea94b986310001900000000070008000000000000006');
INSERT INTO feed (key, owner, head, floor, searched_rev, bytes, deletions, measured_rev, measure_to, listed_rev, counts, newest) VALUES (3, X'01a22ac0ea51757790a248caf4953ae0', 5, 0, 0, 1635, 1, 0, 0, 5, X'0101000200000000000000000000000000', X'');
INSERT INTO overlay (feed, system_rev, changed_rev, status, deleted, updated_at) VALUES (1, 1, 8, 'read', 0, 1796013615798005249);
INSERT INTO overlay (feed, system_rev, changed_rev, status, deleted, updated_at) VALUES (1, 2, 9, 'unread', 1, 1796013615798559324);
INSERT INTO overlay_counter (feed, severity, read, deleted) VALUES (1, 'alert', 1, 1);
INSERT INTO type_counter (feed, category, action, number) VALUES (1, 'deployment', 'apply', 2);
INSERT INTO type_counter (feed, category, action, number) VALUES (3, 'deployment', 'apply', 3);
INSERT INTO last_use (only_row, at) VALUES (1, 1796013615799664949);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (1, 1, 1, NULL, X'01900000000070008000000000000001', X'f403fa5aec2a3d40c1322f52076735f365d7bfb411296a398f75f935e04f1131', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'informational', 'unread', 1767225601000000000, 1767225601000000000, 'unread', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (2, 1, 2, 6, X'01900000000070008000000000000002', X'ce70a35c93074de16f325da297d5ac717bc54ee45c38a4d1911e48fdaf960af9', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'success', 'read', 1767225602000000000, 1796013615769711517, 'read', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (4, 1, 4, NULL, X'01900000000070008000000000000004', X'dff17fd3c8333edc651c071924e7fd1855097744b7eed7fc7ac9eb151055e4a8', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'error', 'unread', 1767225604000000000, 1767225604000000000, 'with a cause', '{"error":{"Code":"1234","LongDescription":[],"ProbableCause":["a fault"],"Severity":1,"ShortDescription":["it broke"],"SuggestedRemediation":["retry"],"severity":"error"},"n":[1,2.5]}');
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (5, 1, 5, NULL, X'01900000000070008000000000000005', X'd5338a5ce731b3b0ea9c08eda6bc99a16063c8024438dba77a593e10c9c20d61', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'debug', 'unread', 4102444800000000000, 4102444800000000000, 'from the future', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (6, 2, 1, NULL, X'01900000000070008000000000000006', X'5252aaca5441d6883f5592a3019b766a6c73ba568ffa69275338c182bbb89df5', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'informational', 'unread', 1767225606000000000, 1767225606000000000, 'of another', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (7, 3, 1, NULL, X'01900000000070008000000000000007', X'7ab862a85b4f9dd40976db55904141ec4cd2766bcb90008ff4ea4f62ee1045e8', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'alert', 'unread', 1767225607000000000, 1767225607000000000, 'of the system, read', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (8, 3, 2, NULL, X'01900000000070008000000000000008', X'3924d6feaa27a727acaae89db206be24a6ca0a8d3fe08d21227f441a1efeb128', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'alert', 'unread', 1767225608000000000, 1767225608000000000, 'of the system, deleted', NULL);
INSERT INTO event (key, feed, created_rev, changed_rev, id, digest, system_id, operation_id, acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) VALUES (10, 3, 4, NULL, X'0190000000007000800000000000000a', X'8066b93958ad87361633be330134a3efe024b10f91fd737bba4a9dc1c7a6069a', X'01a22ac0ea51757790a248caf4953ae0', X'00000000000000000000000000000abc', X'00000000000000000000000000000d00', 'deployment', 'apply', 'emergency', 'unread', 1767225610000000000, 1767225610000000000, 'of the system', NULL);
INSERT INTO tombstone (id, feed, created_rev, deleted_rev, digest, created_at, deleted_at) VALUES (X'01900000000070008000000000000003', 1, 3, 7, X'2b8e5e652103a88961ba78cb47080dbc9405c13a0a9f16c765cb15a679d2a234', 1767225603000000000, 1796013615794035372);
INSERT INTO tombstone (id, feed, created_rev, deleted_rev, digest, created_at, deleted_at) VALUES (X'01900000000070008000000000000009', 3, 3, 5, X'f4d46c7041264e7ec1f6319f870cdf54318ab0ec1f328d7bd3d07f0ed56e952f', 1767225609000000000, 1796013615798968231);
INSERT INTO misdated (id, feed, aged_from) VALUES (X'01900000000070008000000000000005', 1, 1796013615716319045);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 11, 1767225602000000000, X'01900000000070008000000000000002', 2);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 12, 1767225601000000000, X'01900000000070008000000000000001', 1);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 27, 1796013615769711517, X'01900000000070008000000000000002', 2);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 28, 1767225601000000000, X'01900000000070008000000000000001', 1);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 32, 1767225601000000000, X'01900000000070008000000000000001', 1);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 32, 1767225602000000000, X'01900000000070008000000000000002', 2);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 33, 1, X'', 1);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 33, 2, X'', 2);
INSERT INTO listed (feed, list, at, id, event) VALUES (1, 34, 6, X'', 2);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 0, 1767225610000000000, X'0190000000007000800000000000000a', 10);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 2, 1767225607000000000, X'01900000000070008000000000000007', 7);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 2, 1767225608000000000, X'01900000000070008000000000000008', 8);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 16, 1767225610000000000, X'0190000000007000800000000000000a', 10);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 18, 1767225607000000000, X'01900000000070008000000000000007', 7);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 18, 1767225608000000000, X'01900000000070008000000000000008', 8);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 32, 1767225607000000000, X'01900000000070008000000000000007', 7);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 32, 1767225608000000000, X'01900000000070008000000000000008', 8);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 32, 1767225610000000000, X'0190000000007000800000000000000a', 10);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 33, 1, X'', 7);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 33, 2, X'', 8);
INSERT INTO listed (feed, list, at, id, event) VALUES (3, 33, 4, X'', 10);
CREATE INDEX feed_to_index ON feed (key) WHERE head - searched_rev >= 512;
CREATE UNIQUE INDEX overlay_by_rev ON overlay (feed, changed_rev);
CREATE INDEX overlay_by_event ON overlay (system_rev);
CREATE UNIQUE INDEX search_block_by_rev ON search_block (feed, last_rev);
CREATE INDEX feed_to_measure ON feed (key) WHERE measured_rev < measure_to;
CREATE INDEX feed_to_forget ON feed (deletions) WHERE deletions > 1000;
CREATE UNIQUE INDEX event_by_id ON event (id, feed);
CREATE UNIQUE INDEX tombstone_by_rev ON tombstone (feed, deleted_rev);
CREATE INDEX tombstone_by_time ON tombstone (deleted_at);
CREATE INDEX misdated_by_age ON misdated (feed, aged_from);
PRAGMA user_version = 8;
COMMIT;
