//! The migrations of the schema.

use rusqlite_migration::M;

/// The migrations in their order. SQLite's `user_version` counts them.
pub(super) const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/sqlite/0001_events.sql")),
    M::up(include_str!("../../../migrations/sqlite/0002_inbox.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0003_search_again.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0004_time.sql")),
    M::up(include_str!("../../../migrations/sqlite/0005_quota.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0006_ids_by_owner.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0007_listed.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0008_all_listed.sql"
    ))
    .down(include_str!(
        "../../../migrations/sqlite/down/0008_list_again.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0009_content.sql")).down(include_str!(
        "../../../migrations/sqlite/down/0009_keep_content.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0010_expiry.sql")).down(include_str!(
        "../../../migrations/sqlite/down/0010_keep_expiry.sql"
    )),
    M::up(include_str!(
        "../../../migrations/sqlite/0011_recipients.sql"
    ))
    .down(include_str!(
        "../../../migrations/sqlite/down/0011_keep_shared.sql"
    )),
];

/// The `user_version` of a database whose lists are being filled.
pub(super) const LISTING_VERSION: usize = 7;

/// The `user_version` of an up-to-date database.
pub(crate) const SCHEMA_VERSION: usize = MIGRATIONS.len();
