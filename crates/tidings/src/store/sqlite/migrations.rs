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
];

/// The `user_version` of an up-to-date database.
pub(crate) const SCHEMA_VERSION: usize = MIGRATIONS.len();
