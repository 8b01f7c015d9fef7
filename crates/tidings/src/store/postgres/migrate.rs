//! Brings the schema up to date and reads the identity of the store, by one node at a time.

use std::error::Error;

use refinery::{Migration, Runner};
use tidings_event::SystemId;
use tidings_event::wire::Epoch;
use tokio_postgres::Client;

use super::connect::Connector;
use super::fault::{ConnectError, is_conflict};
use super::open_fault::OpenFault;
use crate::store::StoreIdentity;

/// The name under which the database lists a migration, and its statements.
pub(super) type NamedMigration<'a> = (&'a str, &'a str);

/// The migrations in their order.
pub(super) const MIGRATIONS: &[NamedMigration<'static>] = &[
    (
        "V1__events",
        include_str!("../../../migrations/postgres/0001_events.sql"),
    ),
    (
        "V2__search",
        include_str!("../../../migrations/postgres/0002_search.sql"),
    ),
    (
        "V3__revocations",
        include_str!("../../../migrations/postgres/0003_revocations.sql"),
    ),
    (
        "V4__content",
        include_str!("../../../migrations/postgres/0004_content.sql"),
    ),
    (
        "V5__expiry",
        include_str!("../../../migrations/postgres/0005_expiry.sql"),
    ),
    (
        "V6__recipients",
        include_str!("../../../migrations/postgres/0006_recipients.sql"),
    ),
];

/// The table that lists the migrations.
pub(super) const HISTORY: &str = "tidings_migration";

/// The key of the advisory lock under which a node looks at the schema and changes it: "tidings" in ASCII.
const LOCK: i64 = 0x0074_6964_696e_6773;

/// The oldest supported version of PostgreSQL. Older versions get no fixes.
const REQUIRED: u32 = 13;

/// How often a migration is begun again after a deadlock: running nodes can lock tables in another order.
const MAX_CONFLICTS: u32 = 10;

/// Brings the schema up to date and returns the identity.
pub(super) async fn prepare(connector: &Connector) -> Result<StoreIdentity, OpenFault> {
    prepare_with(connector, MIGRATIONS).await
}

/// Applies the missing `migrations`, and returns the identity, which is minted for a new store. Waits while another
/// node does the same.
pub(super) async fn prepare_with(
    connector: &Connector,
    migrations: &[NamedMigration<'_>],
) -> Result<StoreIdentity, OpenFault> {
    // A connection of its own: its end releases the lock, whatever happens.
    let (mut client, driver) = connector.open().await?;
    let driver = tokio::spawn(driver);
    let prepared = prepare_on(&mut client, migrations).await;
    drop(client);
    // The connection has no work left, so an error at its end does not matter.
    let _ = driver.await;
    prepared
}

async fn prepare_on(
    client: &mut Client,
    migrations: &[NamedMigration<'_>],
) -> Result<StoreIdentity, OpenFault> {
    check_version(client).await?;
    lock(client).await?;
    let runner = runner(migrations)?;
    reject_newer(client, &runner).await?;
    migrate(client, &runner).await?;
    identity(client).await
}

async fn migrate(client: &mut Client, runner: &Runner) -> Result<(), OpenFault> {
    let mut conflicts = 0;
    loop {
        match runner.run_async(client).await {
            Ok(report) => {
                for migration in report.applied_migrations() {
                    tracing::info!(%migration, "upgraded the schema of the store");
                }
                return Ok(());
            }
            Err(error) if conflicts < MAX_CONFLICTS && is_rejected_by_conflict(&error) => {
                conflicts += 1
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the server has ended a migration because it and a running node waited for each other.
fn is_rejected_by_conflict(error: &refinery::Error) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.downcast_ref().is_some_and(is_conflict) {
            return true;
        }
        source = error.source();
    }
    false
}

async fn check_version(client: &Client) -> Result<(), OpenFault> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
            &[],
        )
        .await
        .map_err(ConnectError::Server)?;
    match row.get::<_, i32>(0) >= i32::try_from(REQUIRED).unwrap_or(i32::MAX) * 10_000 {
        true => Ok(()),
        false => Err(OpenFault::Server {
            found: row.get(1),
            required: REQUIRED,
        }),
    }
}

/// Waits for the lock, for as long as a migration of another node takes.
async fn lock(client: &Client) -> Result<(), OpenFault> {
    let row = client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(OpenFault::Statement)?;
    if row.get(0) {
        return Ok(());
    }
    tracing::info!("waiting for another node, which prepares the store");
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(OpenFault::Statement)?;
    Ok(())
}

fn runner(migrations: &[NamedMigration<'_>]) -> Result<Runner, OpenFault> {
    let migrations = migrations.iter();
    let migrations = migrations.map(|(name, sql)| Migration::unapplied(name, sql));
    let migrations: Vec<_> = migrations.collect::<Result<_, _>>()?;
    let mut runner = Runner::new(&migrations);
    runner.set_migration_table_name(HISTORY);
    Ok(runner)
}

/// The last version of the schema that this program knows.
pub(super) fn known_version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

async fn reject_newer(client: &mut Client, runner: &Runner) -> Result<(), OpenFault> {
    let row = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&HISTORY])
        .await
        .map_err(OpenFault::Statement)?;
    if !row.get::<_, bool>(0) {
        return Ok(());
    }
    let last = runner.get_last_applied_migration_async(client).await?;
    let found = last.map_or(0, |migration| migration.version());
    let known = known_version();
    match found > known {
        true => Err(OpenFault::Newer { found, known }),
        false => Ok(()),
    }
}

/// Reads the ids of the installation, or mints them for a new store.
async fn identity(client: &Client) -> Result<StoreIdentity, OpenFault> {
    client
        .execute(
            "INSERT INTO installation (system_id, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[SystemId::mint().as_uuid(), Epoch::mint().as_uuid()],
        )
        .await
        .map_err(OpenFault::Statement)?;
    let row = client
        .query_one("SELECT system_id, epoch FROM installation", &[])
        .await
        .map_err(OpenFault::Statement)?;
    Ok(StoreIdentity {
        system: SystemId::from_uuid(row.get(0)),
        epoch: Epoch::from_uuid(row.get(1)),
    })
}
