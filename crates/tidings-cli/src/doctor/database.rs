//! Checks of a store in PostgreSQL. They change nothing in it.

use std::time::Duration;

use tidings::postgres::{Audit, PostgresState, Standby};

use super::finding::{Finding, Report};
use crate::backup::counted;
use crate::output::chain;
use crate::store::Database;

/// The time limit for comparing the counts. With several million events the comparison takes longer and stays
/// incomplete.
const COUNTING_TIME: Duration = Duration::from_secs(10);

/// Checks the database.
pub(super) async fn examine(database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let state = match tidings::postgres::inspect(&database.config).await {
        Ok(state) => state,
        Err(error) => {
            return report.add(&Finding::fail(
                "database",
                format!("{} cannot be used: {}", database.name, chain(&error)),
                "check the address, the password and that the server runs; `tidings serve` needs the same",
            ));
        }
    };
    report.add(&server(database, &state))?;
    report.add(&commits(&state))?;
    report.add(&standbys(&state))?;
    let schema = schema(&state);
    let is_readable = state.schema == state.known_schema && !state.has_unfinished_move;
    report.add(&schema)?;
    report.add(&nodes(&state))?;
    if is_readable {
        report.add(&counts(database).await)?;
    }
    // The disk and its permissions are the server's.
    report.add(&Finding::ok(
        "space",
        format!(
            "the database has {} MiB; the free space of its server is not visible from here",
            state.database_bytes / (1024 * 1024)
        ),
    ))
}

fn server(database: &Database, state: &PostgresState) -> Finding {
    const CHECK: &str = "database";
    let encrypted = if state.is_encrypted {
        "with TLS"
    } else {
        "without TLS"
    };
    let text = format!(
        "{}, PostgreSQL {}, {encrypted}",
        database.name, state.server_version
    );
    if state.is_standby {
        let text = format!("{text}: it is a standby, which accepts no writes");
        return Finding::fail(
            CHECK,
            text,
            "name the primary, or all servers separated by commas",
        );
    }
    Finding::ok(CHECK, text)
}

fn commits(state: &PostgresState) -> Finding {
    const CHECK: &str = "commits";
    let names = &state.synchronous_standby_names;
    match &*state.synchronous_commit {
        "off" => Finding::fail(
            CHECK,
            "synchronous_commit is off: acknowledged events could be lost when the server crashes",
            "set it to on for the user or the database: ALTER ROLE … SET synchronous_commit = on",
        ),
        _ if names.is_empty() => Finding::ok(
            CHECK,
            format!(
                "synchronous_commit is {}; commits wait for no standby, so a failover can lose the last ones",
                state.synchronous_commit
            ),
        ),
        mode => Finding::ok(
            CHECK,
            format!("synchronous_commit is {mode}; commits wait for the standbys {names}"),
        ),
    }
}

fn standbys(state: &PostgresState) -> Finding {
    const CHECK: &str = "standbys";
    let Some(standbys) = &state.standbys else {
        return Finding::ok(CHECK, "this user cannot see them (pg_monitor can)");
    };
    let described = standbys.iter().map(|standby: &Standby| {
        format!(
            "{} ({}, {})",
            standby.name, standby.state, standby.sync_state
        )
    });
    let is_waited_for = standbys
        .iter()
        .any(|standby| matches!(&*standby.sync_state, "sync" | "quorum"));
    let text = match standbys.is_empty() {
        true => "none is connected".to_owned(),
        false => described.collect::<Vec<_>>().join(", "),
    };
    if !state.synchronous_standby_names.is_empty() && !is_waited_for {
        return Finding::fail(
            CHECK,
            format!("{text}, but commits wait for one: publishing hangs"),
            "start the standby that synchronous_standby_names names, or change that setting",
        );
    }
    Finding::ok(CHECK, text)
}

fn schema(state: &PostgresState) -> Finding {
    const CHECK: &str = "schema";
    let (found, known) = (state.schema, state.known_schema);
    if state.has_unfinished_move {
        return Finding::fail(
            CHECK,
            "`tidings move` into this database has not finished",
            "run it again with the same --from and --to, or empty the database",
        );
    }
    if state.is_moved_away {
        return Finding::fail(
            CHECK,
            "`tidings move` has moved this store, or has begun to; no server starts with it",
            "use the new store; to use this one again, run `tidings restore --renew-epoch` on it",
        );
    }
    match (found, state.system) {
        (0, _) | (_, None) => Finding::warn(
            CHECK,
            "there is no event store in the database",
            "start a server with this database; if there should be one, it is another database",
        ),
        (found, _) if found > known => Finding::fail(
            CHECK,
            format!("it has version {found}, and this Tidings knows {known}"),
            "use the newer version of Tidings that has upgraded it",
        ),
        (found, _) if found < known => Finding::ok(
            CHECK,
            format!("version {found}; the next server of this version upgrades it to {known}"),
        ),
        (found, Some(system)) => {
            Finding::ok(CHECK, format!("version {found} of installation {system}"))
        }
    }
}

fn nodes(state: &PostgresState) -> Finding {
    let text = match state.nodes {
        0 => "no server uses it".to_owned(),
        number => format!("{} it", counted_use(number)),
    };
    Finding::ok("servers", text)
}

fn counted_use(number: u64) -> String {
    let verb = if number == 1 { "uses" } else { "use" };
    format!("{} {verb}", counted(number, "server"))
}

/// Compares the counts that are kept for each user with the events.
async fn counts(database: &Database) -> Finding {
    const CHECK: &str = "counts";
    let audited = tidings::postgres::audit(&database.config, COUNTING_TIME).await;
    match audited {
        Ok(Audit {
            owners,
            complete,
            wrong,
            ..
        }) if wrong.is_empty() => {
            let text = match complete {
                true => format!("the counts of {} are right", counted(owners, "owner")),
                false => format!(
                    "the counts of the first {} are right",
                    counted(owners, "owner")
                ),
            };
            Finding::ok(CHECK, text)
        }
        Ok(audit) => {
            let wrong = audit.wrong.iter().take(3).map(|wrong| {
                let (owner, what) = (wrong.owner, wrong.what);
                format!("{owner} has {} {what} and not {}", wrong.found, wrong.kept)
            });
            Finding::fail(
                CHECK,
                wrong.collect::<Vec<_>>().join(", "),
                "find out whether the database was changed by hand, and report this as a bug otherwise",
            )
        }
        Err(error) => Finding::warn(
            CHECK,
            format!("the counts could not be compared: {}", chain(&error)),
            "run this as a user who can read all tables",
        ),
    }
}
